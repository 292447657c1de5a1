#!/usr/bin/env python3
"""Plants marked words in prompts, tool results, headers and keys, drives good, failing and malformed requests, then looks for
the marks wherever an operator or another user could read them: the log (human and JSON form), the metrics, the admin API, and
every file of the data folder but the one that keeps the admin key. None may be there.

usage: tests/wire/secrets.py

Exit code 0: no mark was found, 1: some were, 2: could not be run.
"""

import collections
import itertools
import json
import pathlib
import re
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

SCRIPT = """
set context_tokens 4096
on user "break later"
  text "Anfang"
  fail internal "the answer was lost"
on user "break at once"
  fail unavailable "the card fell off the bus"
on user "refuse"
  refuse failed_precondition "this model takes no such request"
on user "die"
  die
on user "hang"
  hang
on tools and not tool_result
  tool read_file {"path": "x"}
on any
  echo
"""
WAIT_SECONDS = 30
NEEDED_STATUSES = {200, 400, 401, 404, 503, 529}
MODEL_ROUTES = {"/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions"}


class Marks:
    """Words that occur nowhere by chance, each with where it was planted."""

    def __init__(self):
        self.planted = {}
        self.numbers = itertools.count(1)
        self.statuses = collections.Counter()
        self.ids = []  # of requests, each with its status

    def __call__(self, where):
        word = f"qzx{next(self.numbers):03d}vwk"
        self.planted[word] = where
        return word

    def secret(self, value, where):
        self.planted[value] = where
        return value


def messages_of(surface, mark, task):
    """A conversation with a mark in each place where a person's words can be."""
    tool_result = {
        "anthropic": {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": mark("a tool result")}],
        },
        "openai": {"role": "tool", "tool_call_id": "call_1", "content": mark("a tool result")},
    }[surface]
    call = {
        "anthropic": {
            "role": "assistant",
            "content": [
                {"type": "text", "text": mark("an earlier answer")},
                {
                    "type": "tool_use",
                    "id": "toolu_1",
                    "name": "read_file",
                    "input": {"path": mark("a tool's arguments")},
                },
            ],
        },
        "openai": {
            "role": "assistant",
            "content": mark("an earlier answer"),
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "read_file", "arguments": json.dumps({"path": mark("a tool's arguments")})},
                }
            ],
        },
    }[surface]
    return [
        {"role": "user", "content": mark("a user message")},
        call,
        tool_result,
        {"role": "user", "content": f"{task} {mark('the last user message')}"},
    ]


def body_of(surface, mark, task, **more):
    body = {"model": "scripted", "max_tokens": 50, "messages": messages_of(surface, mark, task)}
    schema = {"type": "object", "description": mark("a tool's schema")}
    if surface == "anthropic":
        body |= {
            "system": mark("the system prompt"),
            "tools": [{"name": "read_file", "description": mark("a tool's description"), "input_schema": schema}],
            "metadata": {"user_id": mark("metadata")},
            "stop_sequences": [mark("a stop string")],
        }
    else:
        body["messages"].insert(0, {"role": "system", "content": mark("the system prompt")})
        body |= {
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "read_file",
                        "description": mark("a tool's description"),
                        "parameters": schema,
                    },
                }
            ],
            "user": mark("user"),
            "stop": [mark("a stop string")],
            "prompt_cache_key": mark("a cache key"),
        }
    return body | more


def post(server, path, body, key, mark):
    headers = {
        "user-agent": mark("user-agent"),
        "x-anything": mark("a header"),
        "cookie": f"a={mark('a cookie')}",
        "anthropic-beta": mark("a beta"),
    }
    status, answered, _ = server.post(f"{path}?x={mark('a query')}", body, key=key, headers=headers)
    mark.statuses[status] += 1
    if path in MODEL_ROUTES:
        mark.ids.append((answered["x-request-id"], status))


def drive(server, mark, key):
    """Requests that succeed, fail early, fail late, are refused, malformed, cut off; and a worker that dies."""
    for surface, path in (("anthropic", "/v1/messages"), ("openai", "/v1/chat/completions")):
        for task in ("answer", "break at once", "break later", "refuse"):
            for stream in (False, True):
                post(server, path, body_of(surface, mark, task, stream=stream), key, mark)
        for wrong in (
            {"model": mark("a wrong model's name")},
            {"temperature": mark("a wrong temperature")},
            {"messages": mark("wrong messages")},
            {"tool_choice": mark("a wrong tool choice")},
            {"messages": [{"role": mark("a wrong role"), "content": "x"}]},
            {"messages": [{"role": "user", "content": [{"type": mark("a wrong type")}]}]},
            {mark("a wrong field"): 1},
        ):
            post(server, path, body_of(surface, mark, "answer") | wrong, key, mark)
        whole = json.dumps(body_of(surface, mark, "answer"))
        for broken in (
            whole[:-3],
            whole[: len(whole) // 2],
            whole.replace(":", ";"),
            mark("not JSON at all"),
            whole + mark("after the JSON"),
            "[" * 500 + mark("deep JSON"),
        ):
            post(server, path, broken, key, mark)
        post(
            server,
            path,
            body_of(surface, mark, "answer")
            | {"messages": [{"role": "user", "content": mark("an overlong prompt") + " word" * 20_000}]},
            key,
            mark,
        )
        post(server, path, body_of(surface, mark, "answer"), mark.secret("fh-" + "Qz" * 21 + "A", "a wrong key"), mark)
        post(server, f"/{mark('a path')}", whole, key, mark)
        server.request("GET", f"{path}/{mark('a deeper path')}", key=key)
    post(server, "/v1/messages/count_tokens", body_of("anthropic", mark, "answer"), key, mark)
    server.get(f"/v1/models/{mark('a model id in a path')}", key=key)
    server.post("/admin/v1/session", {"key": mark("a wrong key at the login")}, key="")
    server.request("DELETE", f"/admin/v1/keys/{mark('a key id')}")
    raw_inputs(server, mark, key)


def raw_inputs(server, mark, key):
    head = f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    for data in (
        f"{mark('a method')} / HTTP/1.1\r\n\r\n",
        f"GET /{mark('a target')}\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        f"{head}X: {mark('a bad header')}\x01\r\n\r\n",
        f"{head}Content-Length: {mark('a length')}\r\n\r\n",
        f"{head}Transfer-Encoding: {mark('a coding')}\r\n\r\n",
        f"{head}Content-Length: 900\r\n\r\n{{\"a\":\"{mark('a cut body')}",
        mark("no HTTP"),
        f"{head}Content-Length: 5\r\nContent-Encoding: {mark('a content coding')}\r\n\r\nhello",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connection:
            connection.sendall(data.encode())
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass


def kill_worker(server, mark, key):
    """The request of a worker that dies is the one most likely to be dumped somewhere."""
    post(server, "/v1/messages", body_of("anthropic", mark, "die"), key, mark)
    deadline = time.monotonic() + WAIT_SECONDS
    while server.get("/readyz", key="")[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.05)


def leaks(mark, where, text, allowed=()):
    return [
        f"{where} holds what was planted as {origin}: {word}"
        for word, origin in mark.planted.items()
        if origin not in allowed and (word in text or word.encode().hex() in text)
    ]


def look(server, mark, banner):
    log = server.log.read_text(errors="replace")
    found = leaks(mark, "the log", log.replace(banner, ""))
    for path in (
        "/metrics",
        "/readyz",
        "/healthz",
        "/admin/v1/status",
        "/admin/v1/models",
        "/admin/v1/keys",
        "/admin/v1/usage",
        "/admin/v1/usage?by=key",
        "/admin/v1/usage?by=workload",
    ):
        found += leaks(mark, path, server.get(path)[2].decode())
    # The name under which a model was asked for is part of a row, and only of a row that was admitted.
    found += leaks(mark, "/admin/v1/requests", server.get("/admin/v1/requests?limit=1000")[2].decode())
    return found, log


def unfindable(mark, log):
    """Each request of a model's route has one line with its id."""
    lines = collections.Counter(re.findall(r'request_id"?[=:]"?(req_\w+)', log))
    return [
        f"the request {request} (status {status}) has {lines[request]} lines in the log, not one"
        for request, status in mark.ids
        if lines[request] != 1
    ]


def look_at_files(server, mark):
    found = []
    for path in server.data.rglob("*"):
        if path.is_file() and path.name not in ("admin.key", "server.log", "engine.script"):
            found += leaks(mark, f"the file {path.name}", path.read_bytes().decode("latin-1"))
    return found


def run(log_format):
    mark = Marks()
    with freehold.Server(script=SCRIPT, config=f'[log]\nformat = "{log_format}"\nlevel = "debug"\n') as server:
        banner = server.key  # the first start shows the admin key once, to the person who started it
        status, made = server.json("POST", "/admin/v1/keys", {"name": "a colleague"})
        if status != 201:
            raise RuntimeError(f"a key could not be made: {status}")
        key = mark.secret(made["key"], "a member's key")
        drive(server, mark, key)
        kill_worker(server, mark, key)
        server.request("DELETE", f"/admin/v1/keys/{made['record']['id']}")
        found, log = look(server, mark, banner)
        if log.count(banner) != 1:
            found.append(f"the admin key was shown {log.count(banner)} times; once, at the first start, is meant")
        if missing := NEEDED_STATUSES - set(mark.statuses):
            found.append(f"the requests were not what they should be: nothing was answered with {sorted(missing)}")
        found += unfindable(mark, log)
        server.stop()
        found += leaks(mark, "the log after the end", server.log.read_text(errors="replace").replace(banner, ""))
        found += look_at_files(server, mark)
    for line in found:
        print(f"{log_format}: {line}")
    print(
        f"{log_format} log: {len(mark.planted)} marks planted, {len(found)} found again ({len(log.splitlines())} lines of log)"
    )
    return found


def main():
    if len(sys.argv) > 1:
        print(__doc__)
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    try:
        found = run("human") + run("json")
    except (RuntimeError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
