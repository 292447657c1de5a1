#!/usr/bin/env python3
"""What people do wrong, and what machines do to them: each ends with one sentence that says what is wrong, one that says
what to do, and an exit code other than 0. No stack of log lines, no endless retry, no folder made by a slip of the pen.

usage: tests/wire/mistakes.py

FH_TEST_MODEL names the starter model's file. Exit code 0: all are told well, 1: some are not.
"""

import contextlib
import gzip
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

NOBODY = 65534
PATIENCE_S = 60  # a bound against hanging
SCRIPT = """set context_tokens 4096
on user "[break]"
  text "I was"
  fail unavailable "the card fell off the bus"
on any
  text "Good."
"""
problems = []


def bounded(command, environment, stdin=""):
    """What should end with an error and goes on is one of the mistakes that this looks for."""
    try:
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, input=stdin, check=False)
    except subprocess.TimeoutExpired as late:
        said = (late.stderr or b"").decode(errors="replace")
        return subprocess.CompletedProcess(command, -1, "", f"still running after {PATIENCE_S} s\n{said}")


class World:
    """A folder for everything; commands run with nothing of the tester's environment."""

    def __init__(self, root):
        self.root = root
        self.script = root / "engine.script"
        self.script.write_text(SCRIPT)
        self.count = 0

    def folder(self, make=True):
        self.count += 1
        path = self.root / f"data{self.count}"
        if make:
            path.mkdir()
        return path

    def run(self, data, *words, prefix=(), stdin=""):
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.root / "home")}
        if data:
            environment["FREEHOLD_DATA"] = str(data)
        return bounded([*prefix, freehold.BINARY, *map(str, words)], environment, stdin)

    def up(self, data, *words, **options):
        return self.run(data, "up", "--engine-script", self.script, *words, **options)


def told(what, done, code, message, hint=None):
    """One `error:` line that says `message`, then a `hint:`, and the exit code."""
    lines = [line for line in done.stderr.splitlines() if line]
    wrong = []
    if done.returncode != code:
        wrong.append(f"exit code {done.returncode}, not {code}")
    errors = [line for line in lines if line.startswith("error: ")]
    if len(errors) != 1 or not re.search(message, errors[0]):
        wrong.append(f"no single `error: ` with /{message}/")
    hints = [line for line in lines if line.startswith("hint: ")]
    if hint is not None and (len(hints) != 1 or not re.search(hint, hints[0])):
        wrong.append(f"no single `hint: ` with /{hint}/")
    if any(re.search(r"terminate called|Traceback|\bstd::|0x[0-9a-f]{6}", line) for line in lines):
        wrong.append("the insides show")
    if wrong:
        problems.append(f"{what}: {'; '.join(wrong)}\n{done.stdout[-500:]}{done.stderr[-1500:]}")


def expect(what, good, shown=""):
    if not good:
        problems.append(f"{what}\n{shown}")


def usage(w):
    bare = w.run(None)
    expect("without a verb the help is shown", bare.returncode == 2 and "freehold up" in bare.stderr, bare.stderr)
    told("no verb of models", w.run(None, "models"), 2, "`freehold models` needs one of list, show, import", "models --help")
    told("no verb of keys", w.run(None, "keys"), 2, "`freehold keys` needs one of create, list, revoke", "keys --help")
    told("an unknown verb", w.run(None, "chta"), 2, "no verb `chta`; did you mean `chat`", "freehold --help")
    told("an unknown flag", w.run(None, "up", "--port", "80"), 2, "--port", "freehold up --help")
    told("a choice that is none", w.run(None, "usage", "--by", "hour"), 2, "hour not in", "freehold usage --help")
    told("two forms at once", w.run(None, "usage", "--json", "--csv"), 2, "excludes", "freehold usage --help")
    told("an unknown verb behind an option", w.run(None, "--data", w.root, "chta"), 2, "no verb `chta`; did you mean `chat`", "freehold --help")
    for words in (["keys", "create", ""], ["keys", "revoke", ""], ["models", "show", ""], ["models", "remove", ""], ["models", "import", ""]):
        told(f"{words[:2]} of an empty variable", w.run(w.folder(), *words), 2, "must not be empty", "--help")
    told("two questions to doctor", w.run(None, "doctor", "--url", "--json"), 2, "excludes", "freehold doctor --help")
    told("a missing word", w.run(None, "models", "show"), 2, "name is required", "freehold models show --help")
    version = w.run(None, "--version")
    expect("--version answers", version.returncode == 0 and version.stdout.startswith("freehold "), version.stdout)


def configuration(w):
    def with_file(text):
        data = w.folder()
        (data / "freehold.toml").write_text(text)
        return w.run(data, "up", *([] if "listen" in text else ["--listen", "127.0.0.1:0"]))

    key = r"docs/configuration\.md"
    told("a misspelt key", with_file('listn = ["127.0.0.1:1"]\n'), 2, r"freehold\.toml: unknown key `listn` in line 1; did "
         "you mean `listen`", key)
    told("a wrong type", with_file('listen = "127.0.0.1:1"\n'), 2, r"`listen` in line 1 must be an array", key)
    told("a value out of range", with_file("[engine]\nsequences = 900\n"), 2, "`engine.sequences` in line 2 must be 1 to 64", key)
    told("no TOML", with_file("[engine\n"), 2, r"freehold\.toml: line 1, column", key)
    told("a host name", with_file('\nlisten = ["example.com:80"]\n'), 2,
         r"freehold\.toml: `listen\[0\]` in line 2 is not an address", "a host is a number or localhost")
    told("a port that is none", w.up(w.folder(), "--listen", "127.0.0.1:99999"), 2, "`127.0.0.1:99999` is not an address",
         "0 to 65535")
    told("a model that is not here", with_file('[models]\ndefault = "nope"\n'), 2, "models.default names `nope`",
         "freehold models list")
    told("an unknown price", with_file('[prices]\ncompare = ["nope"]\n'), 2, "prices.compare names `nope`", "anthropic/")
    told("a price book that is gone", with_file('[prices]\nbook = "/none.json"\n'), 2, "`prices.book`.*/none.json")
    told("a configuration that is gone", w.run(w.folder(), "--config", "/none.toml", "models", "list"), 2,
         "^error: cannot open /none.toml: No such file", "--config")
    told("a script that is gone", w.run(w.folder(), "up", "--engine-script", "/none"), 1, "cannot open /none")


def outputs(w):
    data = w.folder()
    for flag in ("--xlsx", "--html", "--write-inputs"):
        told(f"plan {flag} into a folder that is not there", w.run(data, "plan", flag, w.root / "none" / "plan"), 1, "none/plan")
    (w.root / "there.toml").write_text("")
    told("a file that is there already", w.run(data, "plan", "--write-inputs", w.root / "there.toml"), 1, "is there already",
         "another name")
    told("a scenario that is gone", w.run(data, "plan", "--inputs", "/none.toml"), 1, "cannot open /none.toml")
    told("a scenario with an unknown key", w.run(data, "plan", "--inputs", script_with(w, "bogus = 1\n")), 2, "unknown key `bogus`", "known here")


def script_with(w, text):
    path = w.root / "scenario.toml"
    path.write_text(text)
    return path


def addresses(w):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told("a port of another program", w.up(w.folder(), "--listen", f"127.0.0.1:{taken.getsockname()[1]}"), 1,
             r"in use by another program \(python", "--listen")
    told("somebody else's address", w.up(w.folder(), "--listen", "192.0.2.1:8484"), 1, "no interface of this machine",
         "127.0.0.1")


def folders(w):
    typo = w.folder(make=False)
    for words in (["keys", "list"], ["keys", "revoke", "x"], ["usage"]):
        told(f"{words} on a folder that is not there", w.run(typo, *words), 1, "no Freehold has run on", "freehold up")
    told("a chat there", w.run(typo, "chat", "hi"), 3, "no server runs on", "freehold up")
    w.run(typo, "doctor")
    expect("looking makes no folder", not typo.exists())
    file = w.root / "file"
    file.write_text("x")
    told("a file for a folder", w.up(file), 1, "is there and is not a folder")


def as_nobody(w):
    """As root: what a user meets in the folders of others. A user who is not root meets nothing new here."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        print("not root: folders of other users are not tried")
        return
    prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    for path in (w.root, pathlib.Path(freehold.BINARY).parent):
        if not os.stat(path).st_mode & 0o001:
            w.root.chmod(0o755)
    binary = w.root / "freehold"
    shutil.copy(freehold.BINARY, binary)
    w.script.chmod(0o644)
    theirs = w.folder()
    w.run(theirs, "keys", "create", "first")
    theirs.chmod(0o700)

    def run(data, *words):
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **({"FREEHOLD_DATA": str(data)} if data else {})}
        return bounded([*prefix, str(binary), *map(str, words)], environment)

    for words in (["keys", "list"], ["usage"], ["chat", "hi"], ["plan"], ["up"]):
        told(f"{words} in another user's folder", run(theirs, *words), 1, "belongs to another user|Permission denied", ".")
    told("its models", run(theirs, "models", "list"), 1, "cannot list .*Permission denied", "who owns it")
    doctor = run(theirs, "doctor")
    expect("doctor sees it", re.search(r"(?m)^bad +data +.*belongs to another user", doctor.stdout), doctor.stdout)
    told("no home", run(None, "up"), 1, "cannot make the folder /nonexistent", "choose another place")
    told("a port of the system's", run(w.folder(), "up", "--listen", "127.0.0.1:80"), 1, ".")


def disks(w):
    """A disk of a few megabytes and one that is read-only, in a mount namespace of their own."""
    small = w.folder()
    enter = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]

    def mounted(option):
        return [*enter, "sh", "-c", f'mount -t tmpfs -o {option} tmpfs "$0" && exec "$@"', str(small)]

    if subprocess.run([*mounted("size=4m"), "true"], capture_output=True, check=False).returncode:
        print("no mounts here: full and read-only disks are not tried")
        return
    told("a full disk", w.up(small, "--listen", "127.0.0.1:0", prefix=mounted("size=4m")), 1, "No space left on device|disk is full",
         "free")
    told("a full disk, from the command line", w.run(small, "keys", "create", "x", prefix=mounted("size=4m")), 1,
         "No space left on device|disk is full", "free")
    told("a full disk for a model", w.run(small, "models", "import", os.environ["FH_TEST_MODEL"], prefix=mounted("size=4m")), 1,
         "has no room for", "--data")
    told("a read-only disk", w.up(small, "--listen", "127.0.0.1:0", prefix=mounted("ro")), 1, "Read-only file system",
         "read-only")


def ledgers(w):
    data = w.folder()
    w.run(data, "keys", "create", "first")
    with contextlib.closing(sqlite3.connect(data / "ledger.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("UPDATE schema_version SET version = 900, readable_from = 900")
        db.commit()
    told("a ledger of a later release", w.up(data, "--listen", "127.0.0.1:0"), 1, "schema 900", ".")
    told("a ledger of a later release, from the command line", w.run(data, "keys", "list"), 1, "schema 900", ".")
    data = w.folder()
    (data / "ledger.db").write_bytes(b"this is no ledger " * 1000)
    told("a ledger that is none", w.up(data, "--listen", "127.0.0.1:0"), 1, ".", ".")
    data = w.folder()
    w.run(data, "keys", "create", "first")
    (data / "pepper").write_bytes(b"short")
    told("a damaged pepper", w.up(data, "--listen", "127.0.0.1:0"), 1, "pepper", ".")


def models(w):
    starter = pathlib.Path(os.environ["FH_TEST_MODEL"])
    data = w.folder()
    head = starter.read_bytes()[:3_000_000]
    for name, content, why in (("cut", head, "outside the file"), ("noise", b"GGUF" + os.urandom(5000), "."), ("empty", b"", "too short"),
                               ("other", gzip.compress(head[:1000]), "does not begin with GGUF")):
        file = w.root / f"{name}.gguf"
        file.write_bytes(content)
        told(f"a model that is {name}", w.run(data, "models", "import", file), 2, f"{name}.gguf is not a usable GGUF file.*{why}",
             "download it again")
    told("a model that is gone", w.run(data, "models", "import", w.root / "none.gguf"), 1, "cannot open .*none.gguf")
    bad = w.run(data, "models", "import", starter, "--as", "Bad Name")
    told("a bad name", bad, 2, "`Bad Name` cannot be a model's name", "--as NAME")
    expect("a bad name is refused before the file is read", "hashing" not in bad.stderr, bad.stderr)
    w.run(data, "models", "import", starter, "--as", "kept")
    for blob in (data / "models" / "blobs").iterdir():
        blob.unlink()
    for words in (["show", "kept"], ["verify"]):
        told(f"a model's file that is gone: {words}", w.run(data, "models", *words), 1, "the file of kept is gone", "import it again")
    shown = w.run(data, "models", "show", "kept", "--json")
    expect("so as JSON", shown.returncode == 1 and "error" in json.loads(shown.stdout), shown.stdout)
    manifest = data / "models" / "kept.json"
    manifest.write_text("{")
    told("a damaged manifest", w.run(data, "models", "show", "kept"), 1, r"kept\.json is damaged", "import the model again")
    again = w.run(data, "models", "import", starter, "--as", "kept")
    expect("the remedy helps", again.returncode == 0, again.stderr)
    told("an unknown model", w.run(data, "models", "show", "nope"), 1, "no model is called `nope`", "models list")
    told("an unknown model to verify", w.run(data, "models", "verify", "nope"), 1, "no model is called `nope`", "models list")


def a_damaged_model(w):
    """One model's file is damaged: the other one answers, and this one says why it does not."""
    data = w.folder()
    starter = pathlib.Path(os.environ["FH_TEST_MODEL"])
    other = w.root / "other.gguf"
    other.write_bytes(starter.read_bytes() + b" ")
    for file, name in ((starter, "sound"), (other, "damaged")):
        w.run(data, "models", "import", file, "--as", name)
    sha256 = json.loads(w.run(data, "models", "show", "damaged", "--json").stdout)["facts"]["sha256"]
    blob = data / "models" / "blobs" / f"{sha256}.gguf"
    blob.chmod(0o600)
    os.truncate(blob, 50_000_000)
    told("a damaged model to verify", w.run(data, "models", "verify"), 1, "damaged is not what was imported", "import it again")
    with freehold.Server(data=data, wait=False) as server:
        server.wait_listening()

        def ask(model):
            return server.json("POST", "/v1/chat/completions", {
                "model": model, "max_tokens": 4, "messages": [{"role": "user", "content": "Count on: 1 2 3"}]}, timeout=300)

        status, answer = ask("sound")
        expect(f"the sound model answers: {status}", status == 200, str(answer))
        status, answer = ask("damaged")
        expect(f"the damaged one is refused: {status}", status == 503 and "its file cannot be used" in str(answer), str(answer))
        models = {model["id"]: model for model in server.json("GET", "/admin/v1/models")[1]["models"]}
        expect("it is shown as failed", models["damaged"]["state"] == "failed", str(models["damaged"]))
        expect("with what is wrong", "its file cannot be used" in models["damaged"]["detail"], str(models["damaged"]))
        doctor = server.cli("doctor", check=False)
        expect("doctor says so", doctor.returncode == 1 and re.search(r"(?m)^bad +model damaged +failed: .*cannot be used", doctor.stdout),
               doctor.stdout)


def a_damaged_manifest(w):
    """One model's manifest is damaged: the server starts, the other model answers, and everybody is told about this one."""
    data = w.folder()
    starter = pathlib.Path(os.environ["FH_TEST_MODEL"])
    for name in ("sound", "torn"):
        w.run(data, "models", "import", starter, "--as", name)
    manifest = data / "models" / "torn.json"
    whole = manifest.read_text()
    sha256 = json.loads(whole)["sha256"]
    manifest.write_text(whole[:len(whole) - 20])
    (data / "models" / "no name at all.json").write_bytes(b"\0" * 300)
    said = w.run(data, "models", "list")
    expect("the list names it and says what to do", said.returncode == 0 and
           re.search(r"(?m)^torn FAILED: .*torn\.json is damaged.*--as torn", said.stdout), said.stdout + said.stderr)
    listed = json.loads(w.run(data, "models", "list", "--json").stdout)
    expect("both lists", [m["id"] for m in listed["models"]] == ["sound"] and
           [m["id"] for m in listed["damaged"]] == ["no name at all", "torn"], str(listed))
    told("a damaged manifest to show", w.run(data, "models", "show", "torn"), 1, r"torn\.json is damaged", "import the model again")
    said = w.run(data, "models", "verify")
    expect("verify names both", said.returncode == 1 and "torn.json is damaged" in said.stderr and "no name at all.json is" in said.stderr
           and "sound: what was imported" in said.stdout, said.stdout + said.stderr)
    with freehold.Server(data=data, config='[models]\ndefault = "torn"\n', wait=False) as server:
        server.wait_listening()

        def ask(model):
            return server.json("POST", "/v1/chat/completions", {
                "model": model, "max_tokens": 4, "messages": [{"role": "user", "content": "Count on: 1 2 3"}]}, timeout=300)

        status, answer = ask("sound")
        expect(f"the sound model answers: {status}", status == 200, str(answer))
        for name in ("torn", "default"):
            status, answer = ask(name)
            expect(f"{name} is refused: {status}", status == 503 and "its manifest is damaged" in str(answer), str(answer))
            expect("without a path", str(data) not in str(answer), str(answer))
        models = {model["id"]: model for model in server.json("GET", "/admin/v1/models")[1]["models"]}
        expect("it is shown as failed", models["torn"]["state"] == "failed", str(models))
        doctor = server.cli("doctor", check=False)
        expect("doctor says so", doctor.returncode == 1 and re.search(r"(?m)^bad +manifest of torn .*import the model again", doctor.stdout),
               doctor.stdout)
        expect("the log says so", "a model cannot be served" in server.log.read_text(), server.log.read_text())
    w.run(data, "models", "remove", "sound")
    expect("the file that the damaged manifest names stays", (data / "models" / "blobs" / f"{sha256}.gguf").exists(), "gone")
    said = w.run(data, "models", "remove", "torn")
    expect("it can be removed", said.returncode == 0 and "Removed torn" in said.stdout, said.stdout + said.stderr)
    expect("and goes with it", not (data / "models" / "blobs" / f"{sha256}.gguf").exists(), "still there")


def other_prices():
    """Who changes the list of compared models gets no price under another model's name, and no part of a sum for the whole."""
    with tempfile.TemporaryDirectory(prefix="freehold-prices-") as folder:
        for models, workload in (('"anthropic/claude-opus-5-5"', "before"), ('"openai/gpt-6.1-sol"', "after")):
            with freehold.Server(script=SCRIPT, data=folder, config=f"[prices]\ncompare = [{models}]\n") as server:
                server.post("/v1/chat/completions", {"model": "default", "messages": [{"role": "user", "content": "hi " * 500}]},
                            headers={"x-freehold-workload": workload})
                table = server.cli("usage", "--by", "workload").stdout
        lines = {line.split()[0]: re.split(r" {2,}", line)[-2:] for line in table.splitlines()[:4]}
        price = r"\$0\.\d+"
        for group, cells in (("before", (price, "unpriced")), ("after", ("unpriced", price)),
                             ("total", (price + r" \+ unpriced", price + r" \+ unpriced"))):
            expect(f"the prices of {group}", all(re.fullmatch(*pair) for pair in zip(cells, sorted_as(lines, group))), table)


def sorted_as(lines, group):
    """The two price cells of a line, opus first."""
    return lines[group] if "opus" in lines["WORKLOAD"][0] else lines[group][::-1]


def with_a_server():
    with freehold.Server(script=SCRIPT) as server:
        def run(*words):
            return server.cli(*words, check=False)

        told("a second server", run("up", "--listen", "127.0.0.1:0"), 1, r"data folder .* in use by another Freehold \(process",
             "--data")
        told("an unknown model", run("chat", "-m", "nope", "hi"), 1, "the model `nope` does not exist here$", "freehold models list")
        told("an answer that breaks off", run("chat", "[break]"), 3, "^error: the card fell off the bus$")
        expect("what came of it ends its line", run("chat", "[break]").stdout == "I was\n")
        broken = run("chat", "--json", "[break]")
        expect("so as JSON", json.loads(broken.stdout)["error"]["code"] == "unavailable", broken.stdout)
        told("an empty question", run("chat", ""), 2, "must not be empty", "freehold chat --help")
        both = run("chat", "--json", "--stats", "hi").stdout
        expect("JSON is nothing but JSON", both.startswith('{"text":"Good."'), both)
        told("a key twice", run("keys", "create", "admin"), 1, 'a key named "admin" exists', "another name")
        told("the last admin key", run("keys", "revoke", "admin"), 1, "last admin key", "--admin")
        told("an unknown key", run("keys", "revoke", "nobody"), 1, "no key has this id", "keys list")
        told("no date", run("usage", "--from", "yesterday"), 2, "must be a date")
        told("days in the wrong order", run("usage", "--from", "2026-11-02", "--to", "2026-11-01"), 2, "no day lies from", "later")
        run("keys", "create", "second", "--admin")
        run("keys", "revoke", "admin")
        for words in (["keys", "list"], ["chat", "hi"]):
            told(f"{words} with a revoked key", run(*words), 1, r"does not know the key in .*admin\.key", "keys create NAME --admin")
        (server.data / "admin.key").unlink()
        for words in (["keys", "list"], ["chat", "hi"]):
            told(f"{words} without a key", run(*words), 1, r"the admin key is not in .*admin\.key", "keys create NAME --admin")


def main():
    with tempfile.TemporaryDirectory(prefix="freehold-mistakes-") as root:
        w = World(pathlib.Path(root))
        w.root.chmod(0o755)
        for part in (usage, configuration, outputs, addresses, folders, disks, ledgers, models, as_nobody):
            part(w)
        a_damaged_model(w)
        a_damaged_manifest(w)
        other_prices()
        with_a_server()
    for problem in problems:
        print(problem)
    print("mistakes are told well" if not problems else f"{len(problems)} are not told well")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
