#!/usr/bin/env python3
"""Exactly once, whatever is killed: kill -9 of the gateway, a worker or everything at random points under load.

usage: kill.py [--rounds N] [--seed S] [--broken BINARY]

Each round lets the load run for a moment, kills, waits until the server answers again. At the end the server stops
properly and compare.py holds the journal against the ledger. With --broken, the same is done with a binary that loses
settlements on purpose, and the test succeeds only if compare.py finds it.
"""
import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
sys.path.insert(0, str(HERE))
import freehold  # noqa: E402
from load import Journal, Load  # noqa: E402

SCRIPT = """
set pace 2ms
set prefill 20us
set running_max 4
on any
  text "This answer has enough words to be interrupted somewhere in the middle of what it says, which is the point."
"""


def kill(server, what):
    if what == "everything":
        roles = freehold.children(server.process.pid)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        # The kernel kills the roles with their supervisor; the port is free when they are gone.
        deadline = time.monotonic() + 20
        while any(pathlib.Path(f"/proc/{pid}").exists() for pid in roles):
            if time.monotonic() > deadline:
                raise RuntimeError("a role outlived its supervisor")
            time.sleep(0.01)
        server.start(wait=False)
    else:
        for pid in server.pids(what):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def run(rounds, seed, binary):
    choice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="freehold-kill-") as folder:
        data = pathlib.Path(folder)
        server = freehold.Server(script=SCRIPT, data=data, binary=binary)
        journal = Journal(data / "journal.jsonl")
        load = Load(server.port, server.key, journal, seed=seed)
        load.start()
        counts = {}
        try:
            targets = ["gateway", "worker", "everything"] * (rounds // 3 + 1)
            choice.shuffle(targets)
            for what in targets[:rounds]:
                time.sleep(choice.uniform(0.1, 0.6))
                kill(server, what)
                counts[what] = counts.get(what, 0) + 1
                server.wait_ready(60)
            time.sleep(0.3)
        finally:
            load.stop()
            code = server.stop()
        print(f"kill: {rounds} rounds {counts}, seed {seed}, the server's last exit code {code}")
        compared = subprocess.run([sys.executable, str(HERE / "compare.py"), str(data / "journal.jsonl"),
                                   str(data / "ledger.db")])
        return compared.returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--broken")
    arguments = parser.parse_args()
    if arguments.broken:
        found = run(min(arguments.rounds, 3), arguments.seed, arguments.broken) == 1
        print("kill: the broken build was " + ("found" if found else "NOT found: the comparison proves nothing"))
        return 0 if found else 1
    return run(arguments.rounds, arguments.seed, None)


if __name__ == "__main__":
    sys.exit(main())
