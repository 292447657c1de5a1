#!/usr/bin/env python3
"""A stop whose patience ends: a worker hangs, the server is asked to stop, and the request that it cuts off has its row.

usage: drain.py

The worker is stopped by a signal in the middle of an answer, so that it does not even end what is cancelled. When the server
has ended, without having been killed, the ledger must hold one settled row that says `cancelled` and what had been delivered;
a row that only the next start would settle, as crashed and without usage, is a failure. Exit code 0 or 1; 2: could not be run.
"""
import http.client
import json
import os
import pathlib
import signal
import sqlite3
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

SCRIPT = 'on any\n  text "one two three"\n  hang\n'
CONFIG = "[limits]\ndrain_seconds = 1\n"


def begin(server):
    """A stream of which some of the text has come."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = {"model": "scripted", "stream": True, "max_tokens": 64, "messages": [{"role": "user", "content": "x"}]}
    connection.request("POST", "/v1/messages", json.dumps(body),
                       {"authorization": f"Bearer {server.key}", "content-type": "application/json"})
    answer = connection.getresponse()
    while b"three" not in answer.readline():
        pass
    return connection


def main():
    with tempfile.TemporaryDirectory(prefix="freehold-drain-") as folder:
        data = pathlib.Path(folder)
        with freehold.Server(script=SCRIPT, data=data, config=CONFIG) as server:
            connection = begin(server)
            for pid in server.pids("worker"):
                os.kill(pid, signal.SIGSTOP)
            code = server.stop(60)
            connection.close()
        ledger = sqlite3.connect(f"file:{data / 'ledger.db'}?mode=ro", uri=True)
        rows = ledger.execute("SELECT s.end_reason, s.usage_source, s.output FROM admissions a"
                              " LEFT JOIN settlements s ON s.sequence = a.sequence").fetchall()
    good = code == 0 and len(rows) == 1 and rows[0][:2] == ("cancelled", "estimated") and rows[0][2] > 0
    print(f"drain: exit code {code}, rows {rows}: {'ok' if good else 'FAILED'}")
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        sys.exit(2)
