#!/usr/bin/env python3
"""Official clients against a running Freehold: the OpenAI and Anthropic libraries for Node and Python.

usage: tests/clients/run.py [--engine scripted|starter|both] [--only node|python] [--match TEXT] [--claude-code] [--verbose]

One server per engine, on a data folder and a loopback port of its own. The clients come from lockfiles with hashes and
are installed once into the cache (setup_clients.py). They see nothing of this machine's environment but PATH.
Exit code 0: all passed. 1: a test failed. 2: the tests could not be run.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import setup_clients

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

SUITE_SECONDS = 900
MODEL_READY_SECONDS = 300
CONFIG = "[limits]\nkeep_alive_seconds = 1\nrequest_seconds = 300\n"


def server_of(engine):
    if engine == "scripted":
        return freehold.Server(script=HERE / "engine.script", config=CONFIG)
    server = freehold.Server(
        models=[setup_clients.fetched("smollm2-135m")], config=CONFIG + "[engine]\ncontext_tokens = 4096\n", wait=False
    )
    server.wait_ready(MODEL_READY_SECONDS)
    return server


def environment_of(server, engine, home):
    status, answer = server.json("GET", "/v1/models")
    if status != 200 or not answer["data"]:
        raise setup_clients.Problem(f"the server lists no model: {status} {answer}")
    return {
        "PATH": f"{setup_clients.node_folder()}:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "FREEHOLD_URL": server.base,
        "FREEHOLD_KEY": server.key,
        "FREEHOLD_MODEL": answer["data"][0]["id"],
        "FREEHOLD_ENGINE": engine,
    }


def run(command, cwd, environment):
    """(exit code, output)"""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SUITE_SECONDS,
        )
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b""
        return (
            124,
            (output.decode(errors="replace") if isinstance(output, bytes) else output)
            + f"\nnot done after {SUITE_SECONDS} s",
        )


def run_node(environment, folder, match):
    modules = setup_clients.node_modules(HERE / "node") / "node_modules"
    work = folder / "node"
    work.mkdir(exist_ok=True)
    for source in (HERE / "node").glob("*.mjs"):
        shutil.copy(source, work / source.name)
    if not (work / "node_modules").exists():
        (work / "node_modules").symlink_to(modules)
    command = ["node", "--test", "--test-concurrency=1", "--test-timeout=180000", "--test-reporter=tap"]
    if match:
        command.append(f"--test-name-pattern={re.escape(match)}")
    code, output = run(command + sorted(path.name for path in work.glob("*.test.mjs")), work, environment)
    count = {
        name: int(found[1]) if (found := re.search(rf"^# {name} (\d+)$", output, re.M)) else 0
        for name in ("pass", "fail", "skipped", "cancelled")
    }
    failed = re.findall(r"^\s*not ok \d+ - (.*?)(?: # .*)?$", output, re.M)
    return (
        code,
        output,
        f"{count['pass']} passed, {count['fail'] + count['cancelled']} failed, {count['skipped']} skipped",
        failed,
    )


def run_python(environment, folder, match):
    packages = setup_clients.python_environment(HERE / "python" / "requirements.txt")
    command = [
        setup_clients.PYTHON,
        "-m",
        "unittest",
        "discover",
        "--start-directory",
        str(HERE / "python"),
        "--verbose",
    ]
    if match:
        command += ["-k", match]
    inside = dict(environment, PYTHONPATH=str(packages), PYTHONDONTWRITEBYTECODE="1", PYTHONNOUSERSITE="1")
    code, output = run(command, folder, inside)
    ran = re.search(r"^Ran (\d+) tests?", output, re.M)
    skipped = len(re.findall(r"\.\.\. skipped", output))
    failed = re.findall(r"^(?:FAIL|ERROR): (.*)$", output, re.M)
    total = int(ran[1]) if ran else 0
    return code, output, f"{total - skipped - len(failed)} passed, {len(failed)} failed, {skipped} skipped", failed


def run_engine(engine, options, folder):
    results = []
    with server_of(engine) as server:
        environment = environment_of(server, engine, folder)
        for name, suite in (("node", run_node), ("python", run_python)):
            if options.only not in (None, name):
                continue
            began = time.monotonic()
            code, output, summary, failed = suite(environment, folder, options.match)
            if code != 0 or options.verbose:
                print(output)
            print(f"{engine:9} {name:7} {summary} in {time.monotonic() - began:.0f} s", flush=True)
            for title in failed:
                print(f"    failed: {title}")
            results.append(code)
        if server.process.poll() is not None:
            print(f"{engine:9} the server ended with {server.process.returncode}")
            results.append(1)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("scripted", "starter", "both"), default="both")
    parser.add_argument("--only", choices=("node", "python"))
    parser.add_argument("--match", help="only tests whose name holds this text")
    parser.add_argument("--claude-code", action="store_true", help="also run the Claude Code test")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    results = []
    try:
        with tempfile.TemporaryDirectory(prefix="freehold-clients-") as folder:
            for engine in ("scripted", "starter") if options.engine == "both" else (options.engine,):
                results += run_engine(engine, options, pathlib.Path(folder))
        if options.claude_code:
            results.append(
                subprocess.run([setup_clients.PYTHON, str(HERE / "claude_code.py")], timeout=SUITE_SECONDS).returncode
            )
    except (setup_clients.Problem, RuntimeError, OSError, subprocess.SubprocessError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    print("all client tests passed" if not any(results) else "client tests FAILED")
    return 1 if any(results) else 0


if __name__ == "__main__":
    sys.exit(main())
