#!/usr/bin/env python3
"""A gateway whose event loop hangs, while its other threads go on: it is killed and followed by another, which answers.

usage: hang.py

The loop's thread alone is stopped, as by a debugger; the supervisor's bound is that of the product, so this takes some 40 s.
Exit code 0 or 1; 2: could not be run, as where a process may not be traced.
"""
import contextlib
import ctypes
import http.client
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

SCRIPT = 'on any\n  text "Good."\n'
SEIZE, INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
PATIENCE_S = 180


def hang(pid):
    """The first thread of a process has its number, and is the one that the event loop runs in."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    for request in (SEIZE, INTERRUPT):
        if libc.ptrace(request, pid, None, None) != 0:
            raise OSError(ctypes.get_errno(), "the gateway cannot be traced")
    os.waitpid(pid, WALL)


def ended(pid):
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG | WALL)[0] == pid
    return True


def ask(server):
    with contextlib.suppress(OSError, http.client.HTTPException):
        return server.json("POST", "/v1/chat/completions", {
            "model": "scripted", "messages": [{"role": "user", "content": "x"}]})[0]
    return 0


def wait_for(what):
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def main():
    with freehold.Server(script=SCRIPT) as server:
        (before,) = server.pids("gateway")
        alive = ask(server) == 200
        hang(before)
        killed = wait_for(lambda: ended(before))
        if not killed:
            os.kill(before, 9)
            ended(before)
        answered = wait_for(lambda: ask(server) == 200)
        after = server.pids("gateway")
        log = server.log.read_text()
    said = "its event loop has answered nothing" in log
    good = alive and killed and answered and said and len(after) == 1 and after != [before]
    print(f"hang: answered before {alive}, killed {killed}, answered after {answered}, said so {said}: {'ok' if good else 'FAILED'}")
    if not good:
        print(log[-3000:])
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        sys.exit(2)
