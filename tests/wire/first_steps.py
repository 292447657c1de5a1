#!/usr/bin/env python3
"""The scripts that a newcomer meets: what third_party/fetch says when the registry, the disk or the person gets in its way,
and that scripts/run (`make run`) answers, says where to go, and stops in order on one Ctrl-C in a terminal.

usage: tests/wire/first_steps.py

FREEHOLD_BINARY names another binary. Exit code 0: all is as it should be, 1: it is not.
"""

import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

PIN = "smollm2-135m"
FETCH = freehold.ROOT / "third_party" / "fetch"
problems = []


def expect(what, good, shown=""):
    if not good:
        problems.append(f"{what}\n{shown}")


def fetch(folder, pip, interrupt=False):
    """Runs it with a pip that does what `pip` (Python) says, in an empty cache."""
    fake = folder / "fake" / "pip"
    fake.mkdir(parents=True, exist_ok=True)
    (fake / "__init__.py").write_text("")
    (fake / "__main__.py").write_text(f"import os, sys, time\n{pip}\n")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "FREEHOLD_CACHE": str(folder / "cache"),
                   "PYTHONPATH": str(folder / "fake")}
    process = subprocess.Popen([sys.executable, str(FETCH), PIN], env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
    if interrupt:
        marker = folder / "begun"
        while not marker.exists() and process.poll() is None:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def fetching(folder):
    pin = tomllib.loads((freehold.ROOT / "third_party" / "lock.toml").read_text())[PIN]
    write = f"open('{pin.get('file', 'package.whl')}', 'wb').write(b'something else')"
    for what, pip, code, said in (
        ("a package that was changed", write, 1, r"^error: .* has SHA-256 [0-9a-f]{64} but third_party/lock\.toml pins"),
        ("a full disk", "sys.exit('ERROR: [Errno 28] No space left on device')", 1, "^error: the disk is full"),
        ("no pip", "sys.exit('/usr/bin/python3: No module named pip')", 1, "^error: pip is not installed"),
        ("another file than the pinned one", "open('another.whl', 'wb')", 1, "^error: .*the registry has no file"),
    ):
        found, out, err = fetch(folder, pip)
        expect(f"{what}: exit code {found}", found == code, err)
        expect(f"{what}: is told", re.search(said, err, re.M), err)
        expect(f"{what}: no insides", "Traceback" not in err and out == "", err)
    found, _, err = fetch(folder, f"open('{folder}/begun', 'w').close(); time.sleep(60)", interrupt=True)
    expect("Ctrl-C", found == 130 and "run again to go on" in err and "Traceback" not in err.split("interrupted")[-1], f"{found} {err}")
    left = [path for path in (folder / "cache").rglob("*") if path.is_file()]
    expect("nothing half fetched is left", not left, str(left))


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, command, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(freehold.ROOT)
            os.execvpe(command[0], command, environment)
        self.text = ""

    def read_until(self, pattern, seconds=300):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            if time.monotonic() > deadline or not self.read_some():
                return False
        return True

    def read_some(self):
        ready, _, _ = select.select([self.fd], [], [], 1)
        if not ready:
            return True
        try:
            more = os.read(self.fd, 65536)
        except OSError:
            return False
        self.text += more.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(more)

    def press_ctrl_c(self):
        os.write(self.fd, b"\x03")

    def end(self):
        self.read_until(r"(?!)", 120)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def running(folder):
    cache = os.environ.get("FREEHOLD_CACHE") or str(pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "freehold")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "FREEHOLD_CACHE": cache, "FREEHOLD_DATA": str(folder / "data"),
                   "FREEHOLD_LISTEN": "127.0.0.1:0", "FREEHOLD_BINARY": freehold.BINARY, "TERM": "dumb"}
    terminal = Terminal(["scripts/run"], environment)
    served = terminal.read_until(r"Stop +Ctrl-C")
    expect("make run answers and says where to go", served, terminal.text)
    expect("with tokens, speed and price",
           re.search(r"\d+ tokens in .*, \d+ out, \d+ tokens/s", terminal.text) and "the same tokens at " in terminal.text, terminal.text)
    url = re.search(r"Console +(http://127\.0\.0\.1:[1-9]\d*/)", terminal.text)
    expect("the address is the one that was taken", url, terminal.text)
    if url:
        doctor = subprocess.run([freehold.BINARY, "doctor", "--url"], env=environment, capture_output=True, text=True, timeout=60)
        expect("doctor --url says the same", doctor.stdout.strip() == url[1], doctor.stdout + doctor.stderr)
    terminal.press_ctrl_c()
    code = terminal.end()
    expect(f"one Ctrl-C stops in order: exit code {code}", code == 0, terminal.text)
    expect("and not at once", "stopped at once" not in terminal.text and "Stopping: running requests may finish" in terminal.text,
           terminal.text)
    expect("no line of a request tears the answer", "request ended" not in terminal.text, terminal.text)
    expect("the log's last words are shown", "supervisor gateway ended" in terminal.text, terminal.text)
    expect("no server is left", not (folder / "data" / "server.json").exists())
    gone = subprocess.run([freehold.BINARY, "doctor", "--url"], env=environment, capture_output=True, text=True, timeout=60)
    expect("doctor --url without a server", gone.returncode == 3 and "no server runs on" in gone.stderr, gone.stderr)


def main():
    with tempfile.TemporaryDirectory(prefix="freehold-steps-") as root:
        folder = pathlib.Path(root)
        fetching(folder)
        running(folder)
    for problem in problems:
        print(problem)
    print("the first steps are told well" if not problems else f"{len(problems)} are not")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
