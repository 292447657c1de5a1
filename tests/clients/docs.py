#!/usr/bin/env python3
"""The samples of the documentation, run as they are printed: those of docs/use.md with the official libraries and curl, the
commands of docs/quick-start.md in a shell, and the files that docs/use.md and docs/configuration.md show. Only the address
and, for a library, the key are put in.

usage: tests/clients/docs.py

Exit code 0: all work, 1: some do not, 2: could not be run.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
sys.path.insert(0, str(HERE))
import freehold  # noqa: E402
import setup_clients  # noqa: E402

DOCS = freehold.ROOT / "docs"
PRINTED = "http://127.0.0.1:8484"
ANSWER = "The scripted answer."
SCRIPT = f'set context_tokens 16384\non any\n  text "{ANSWER}"\n'
PATIENCE_S = 120
problems = []


def blocks(page):
    """The indented blocks of a page, without the indent."""
    text = (DOCS / page).read_text()
    for match in re.finditer(r"(?m)(?:^(?: {4}.*)?\n)*^ {4}.*\n(?:^(?: {4}.*)?\n)*", text):
        yield re.sub(r"(?m)^ {4}", "", match[0]).strip("\n")


def samples(page):
    """What begins with a comment that names its language, up to the next of those: (comment, code)."""
    for block in blocks(page):
        parts = re.split(r"(?m)^((?:#|//) (?:Python|JavaScript|curl).*)$", block)
        yield from zip(parts[1::2], parts[2::2], strict=True)


def expect(what, done, wanted):
    if done.returncode != 0 or wanted not in done.stdout:
        problems.append(f"{what}: exit code {done.returncode}, no {wanted!r}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")


def run(command, environment, folder):
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def run_sample(comment, code, server, folder):
    environment = {"PATH": f"{folder}:{setup_clients.node_folder()}:/usr/bin:/bin", "HOME": str(folder), "KEY": server.key}
    code = code.replace(PRINTED, server.base)
    if comment.startswith("# Python"):
        packages = setup_clients.python_environment(HERE / "python" / "requirements.txt")
        file = folder / "sample.py"
        file.write_text(f"import os\nKEY = os.environ['KEY']\n{code}")
        done = run([setup_clients.PYTHON, str(file)], {**environment, "PYTHONPATH": str(packages)}, folder)
    elif comment.startswith("// JavaScript"):
        modules = folder / "node_modules"
        if not modules.exists():
            modules.symlink_to(setup_clients.node_modules(HERE / "node") / "node_modules")
        file = folder / "sample.mjs"
        file.write_text(f"const KEY = process.env.KEY;\n{code}")
        done = run([str(setup_clients.node_folder() / "node"), str(file)], environment, folder)
    else:
        done = run(["/bin/bash", "-euo", "pipefail", "-c", code], environment, folder)
    expect(f"docs/use.md: {comment}", done, ANSWER)


def libraries(server, folder):
    found = list(samples("use.md"))
    kinds = {comment.split(",")[0].strip("#/ ") for comment, _ in found}
    if kinds != {"Python", "JavaScript", "curl"} or len(found) < 5:
        problems.append(f"docs/use.md has other samples than this test knows: {[comment for comment, _ in found]}")
    for comment, code in found:
        if comment.startswith("# curl") and shutil.which("curl") is None:
            print("no curl here: its sample is not tried")
            continue
        run_sample(comment, code, server, folder)


def first_commands(server, folder):
    """The commands of the quick start that follow `freehold up`."""
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "FREEHOLD_DATA": str(server.data)}
    tried = 0
    for block in blocks("quick-start.md"):
        if "freehold up" in block or ("curl" in block and shutil.which("curl") is None):
            continue
        done = run(["/bin/bash", "-euo", "pipefail", "-c", block.replace(PRINTED, server.base)], environment, folder)
        expect(f"docs/quick-start.md: {block.splitlines()[0]}", done, "REQUESTS" if "usage" in block else ANSWER)
        tried += 1
    if tried < 2:
        problems.append("docs/quick-start.md has fewer commands than this test knows")


def files(folder):
    configured = next(block for block in blocks("configuration.md") if "[engine]" in block)
    (folder / "freehold.toml").write_text(configured)
    done = run([freehold.BINARY, "--config", str(folder / "freehold.toml"), "models", "list"],
               {"PATH": "/usr/bin:/bin", "HOME": str(folder)}, folder)
    expect("docs/configuration.md: its example", done, "No models yet")
    settings = next(block for block in blocks("use.md") if "opencode.ai" in block)
    provider = json.loads(settings)["provider"]["freehold"]
    if provider["options"]["baseURL"] != f"{PRINTED}/v1":
        problems.append("docs/use.md: opencode's address is another one")


def main():
    try:
        with tempfile.TemporaryDirectory(prefix="freehold-docs-") as name, freehold.Server(script=SCRIPT) as server:
            folder = pathlib.Path(name)
            (folder / "freehold").symlink_to(os.path.realpath(freehold.BINARY))
            libraries(server, folder)
            first_commands(server, folder)
            files(folder)
    except (setup_clients.Problem, RuntimeError, OSError, subprocess.SubprocessError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    for problem in problems:
        print(problem)
    print("the documentation's samples work" if not problems else f"{len(problems)} samples do not work")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
