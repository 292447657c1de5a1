#!/usr/bin/env python3
"""Ten thousand malformed HTTP and JSON inputs through real sockets; the server must answer each as its class demands.

usage: tests/wire/malformed.py [--count 10000] [--seed 1] [--only CLASS] [--case N]

Every case is made from the seed and its number alone, so that `--case N` repeats it. Checked are the status of every answer,
that the gateway's and the worker's processes stay the same, that the gateway's memory stays flat, that no request is left
running, and that a good request still works at the end. Exit code 0: all as demanded, 1: not, 2: could not be run.
"""

import argparse
import collections
import copy
import gzip
import json
import pathlib
import random
import select
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

ANSWER_SECONDS = 20
MEMORY_SLACK_BYTES = 32 << 20
# Cases whose bytes may be an unfinished request: how long an answer is waited for before the sending side is closed.
UNFINISHED_SECONDS = {
    "truncated": 0,
    "head_bytes": 0.1,
    "chunks": 0.1,
    "fields": 0.1,
    "random_bytes": 0.1,
    "targets": 0.1,
}
WEIGHTS = {"json_bytes": 12, "json_types": 16, "head_bytes": 12, "json_wide": 1, "json_deep": 2}  # others 4
CLOSED = 0  # the connection ended without an answer
REFUSED_HEAD = {400, 408, 413, 417, 431, 501, 505, CLOSED}
ROUTED = {200, 204, 400, 401, 403, 404, 405, 413, 415}  # 204: OPTIONS
SCRIPT = 'set context_tokens 4096\non user "[long]"\n  repeat 40 text " word"\non tools\n  tool f {"a":1}\non any\n  text "ok"\n'


class Maker:
    """Makes cases for one server. A case is (bytes to send, statuses that may come back)."""

    def __init__(self, key, port):
        self.key = key
        self.host = f"127.0.0.1:{port}"
        self.classes = {name[5:]: getattr(self, name) for name in dir(self) if name.startswith("case_")}
        self.bodies = {
            "/v1/messages": {
                "model": "scripted",
                "max_tokens": 20,
                "system": [{"type": "text", "text": "s"}],
                "temperature": 0.5,
                "top_p": 0.9,
                "top_k": 40,
                "stop_sequences": ["zz"],
                "stream": False,
                "metadata": {"user_id": "u"},
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "output_config": {"effort": "low"},
                "tool_choice": {"type": "auto", "disable_parallel_tool_use": False},
                "tools": [
                    {
                        "name": "f",
                        "description": "d",
                        "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
                    }
                ],
                "messages": [
                    {"role": "user", "content": "Hi é世"},
                    {
                        "role": "assistant",
                        "content": [
                            {"type": "thinking", "thinking": "t", "signature": "s"},
                            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
                        ],
                    },
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "tool_result",
                                "tool_use_id": "toolu_1",
                                "content": [{"type": "text", "text": "r"}],
                                "is_error": False,
                            },
                            {"type": "text", "text": "go", "cache_control": {"type": "ephemeral", "ttl": "5m"}},
                        ],
                    },
                ],
            },
            "/v1/messages/count_tokens": {
                "model": "scripted",
                "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
                "system": "s",
            },
            "/v1/chat/completions": {
                "model": "scripted",
                "max_tokens": 20,
                "max_completion_tokens": 20,
                "temperature": 0.5,
                "top_p": 0.9,
                "n": 1,
                "stop": ["zz"],
                "seed": 5,
                "presence_penalty": 0.1,
                "frequency_penalty": 0.1,
                "logit_bias": {"5": 1},
                "logprobs": True,
                "top_logprobs": 2,
                "stream": False,
                "stream_options": {"include_usage": True},
                "tools": [
                    {
                        "type": "function",
                        "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
                    }
                ],
                "tool_choice": "auto",
                "parallel_tool_calls": True,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
                },
                "reasoning_effort": "low",
                "user": "u",
                "metadata": {"a": "b"},
                "messages": [
                    {"role": "system", "content": "s"},
                    {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                        ],
                    },
                    {"role": "tool", "tool_call_id": "call_1", "content": "r"},
                ],
            },
        }

    def make(self, seed, number, only):
        dice = random.Random(f"{seed}/{number}")
        names = [only] if only else list(self.classes)
        weights = [WEIGHTS.get(name, 4) for name in names]
        name = dice.choices(names, weights)[0]
        data, allowed = self.classes[name](dice)
        return name, data, allowed

    def head(self, method="POST", target="/v1/messages", fields=(), version="HTTP/1.1"):
        lines = [
            f"{method} {target} {version}",
            f"Host: {self.host}",
            f"Authorization: Bearer {self.key}",
            "Content-Type: application/json",
        ]
        return "\r\n".join(lines + [f"{name}: {value}" for name, value in fields]) + "\r\n\r\n"

    def request(self, body, target="/v1/messages", fields=()):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.head(target=target, fields=[("Content-Length", len(body)), *fields]).encode() + body

    def good(self, dice):
        target = dice.choice(list(self.bodies))
        body = copy.deepcopy(self.bodies[target])
        if "stream" in body:
            body["stream"] = dice.random() < 0.3
        return target, body

    @staticmethod
    def mutated(dice, data, most=6):
        """A few bytes changed, lost, doubled, moved or made up."""
        data = bytearray(data)
        for _ in range(dice.randint(1, most)):
            at = dice.randrange(len(data) + 1)
            end = min(len(data), at + dice.choice((1, 1, 1, 2, 8, 40)))
            what = dice.randrange(6)
            if what == 0 and at < len(data):
                data[at] ^= 1 << dice.randrange(8)
            elif what == 1:
                del data[at:end]
            elif what == 2:
                data[at:at] = dice.randbytes(dice.choice((1, 2, 5)))
            elif what == 3:
                data[at:at] = data[at:end]
            elif what == 4:
                data[at:at] = dice.choice(
                    (
                        b'"',
                        b"\\",
                        b"{",
                        b"}",
                        b"[",
                        b"]",
                        b",",
                        b":",
                        b"\x00",
                        b"\xff",
                        b"\xed\xa0\x80",
                        b"\\ud800",
                        b"1e999",
                        b"-",
                        b"null",
                        b"\r\n",
                        b"\n",
                        b"\r",
                        b" ",
                        b"\t",
                        b"0x10",
                        b"NaN",
                        b"\xef\xbb\xbf",
                    )
                )
            elif end > at:
                piece = bytes(data[at:end])
                del data[at:end]
                other = dice.randrange(len(data) + 1)
                data[other:other] = piece
        return bytes(data)

    # Bodies that may be no JSON any more, or JSON of another meaning.
    def case_json_bytes(self, dice):
        target, body = self.good(dice)
        text = json.dumps(body, ensure_ascii=dice.random() < 0.5).encode()
        return self.request(self.mutated(dice, text), target), {200, 400, 404}

    def odd_value(self, dice):
        return dice.choice(
            (
                None,
                True,
                False,
                0,
                -1,
                1.5,
                1e308,
                -(2**63),
                2**63,
                2**64,
                10**30,
                "",
                "x",
                "\u0000",
                "a" * 5000,
                "\ud83e\udd86",
                [],
                [[]],
                [None],
                [1, "2", {}],
                {},
                {"type": 5},
                {"type": "x"},
                {"": {}},
                ["x"] * 300,
                {"role": "user"},
                [{"type": "text"}],
                [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}],
                {"$ref": "#"},
                {"type": "object", "properties": {"a": {"$ref": "#/x"}}},
            )
        )

    def places(self, value, path=()):
        found = [path] if path else []
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, child in children:
            found += self.places(child, (*path, key))
        return found

    # A wrong value at any place of a good body.
    def case_json_types(self, dice):
        target, body = self.good(dice)
        for _ in range(dice.choice((1, 1, 1, 2, 4))):
            path = dice.choice(self.places(body))
            holder = body
            for step in path[:-1]:
                holder = holder[step]
            if dice.random() < 0.15:
                del holder[path[-1]]
            else:
                holder[path[-1]] = self.odd_value(dice)
            if not self.places(body):
                break
        return self.request(body, target), {200, 400, 404}

    def case_json_deep(self, dice):
        target, _ = self.good(dice)
        depth = dice.choice((65, 100, 1000, 100_000))
        opening, closing = dice.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"b":', b"}]")))
        text = opening * depth + b"1" + (closing * depth if dice.random() < 0.7 else b"")
        if dice.random() < 0.5:
            text = b'{"model":"scripted","max_tokens":1,"messages":[{"role":"user","content":"x"}],"x":' + text + b"}"
        return self.request(text, target), {400}

    def case_json_wide(self, dice):
        target, body = self.good(dice)
        what = dice.randrange(4)
        if what == 0:
            body["messages"] = [{"role": "user", "content": "x"}] * dice.choice((2000, 20000))
        elif what == 1:
            body["tools"] = [{"name": f"t{i}", "type": "custom", "input_schema": {}} for i in range(3000)]
        elif what == 2:
            body["x"] = [0] * dice.choice((1000, 300_000))
        else:
            body = {f"k{i}": i for i in range(50_000)}
        return self.request(body, target), {200, 400}

    def case_random_bytes(self, dice):
        data = dice.randbytes(dice.choice((1, 10, 100, 3000)))
        return data + (b"\r\n\r\n" if dice.random() < 0.5 else b""), REFUSED_HEAD

    def case_head_bytes(self, dice):
        target, body = self.good(dice)
        head, _, rest = self.request(body, target).partition(b"\r\n\r\n")
        return self.mutated(dice, head, 4) + b"\r\n\r\n" + rest, ROUTED | REFUSED_HEAD

    def case_truncated(self, dice):
        target, body = self.good(dice)
        data = self.request(body, target)
        return data[: dice.randrange(len(data))], {400, 408, CLOSED}

    def case_fields(self, dice):
        field = dice.choice(
            (
                (
                    "Content-Length",
                    dice.choice(
                        ("+5", "0x5", "-1", "5, 5", "18446744073709551616", "9" * 30, "", " ", "5 5", "1e3", "٣")
                    ),
                ),
                (
                    "Transfer-Encoding",
                    dice.choice(
                        ("gzip", "chunked, chunked", "identity", "x", "chunked;q=1", "", "\x0bchunked", "chunked\x00")
                    ),
                ),
                (dice.choice(("X:", "", " X", "X ", "(", "X\x00", "é", "X\tY")), "v"),
                ("X", dice.choice(("\x00", "\x01", "\x7f", "a\rb", "a\nb"))),
                ("Host", "other"),
                ("Expect", dice.choice(("100-continue, x", "200-ok", ""))),
                ("X", "v" * 40_000),
                ("Content-Encoding", dice.choice(("br", "gzip, gzip", "x", "deflate"))),
            )
        )
        fields = [field]
        if field[0] != "Content-Length":
            fields.append(("Content-Length", 2))
        return self.head(fields=fields).encode("utf-8", "surrogateescape") + b"{}", REFUSED_HEAD | {415, 401}

    def case_many_fields(self, dice):
        count = dice.choice((99, 200, 1500))
        return self.head("GET", "/v1/models", [(f"x{i}", "") for i in range(count)]).encode(), {431}

    def case_targets(self, dice):
        target = dice.choice(
            (
                "/",
                "//",
                "/%",
                "/%zz",
                "/%00",
                "/%ff",
                "/v1/models/%2e%2e",
                "/v1/../admin/v1/status",
                "/v1/models/" + "a" * 9000,
                "*",
                "a",
                "/\u00e9",
                "/v1/models#x",
                "http://other/v1/models",
                f"http://{self.host}/v1/models",
                "http://",
                "ftp://x/",
                "/v1/models?limit=%",
                "/v1/models?" + "&" * 5000,
                "/V1/MODELS",
                "/v1/models/\t",
                "/v1/models/a b",
                "/assets/../../etc/passwd",
                "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
                "/admin/v1/requests/" + "%27" * 20,
                "/admin/v1/requests?before=-1&limit=999999",
            )
        )
        method = dice.choice(
            (
                "GET",
                "HEAD",
                "OPTIONS",
                "TRACE",
                "PATCH",
                "PUT",
                "DELETE",
                "CONNECT",
                "get",
                "M-SEARCH",
                "SOURCE",
                "X" * 50,
                "G@T",
                "",
            )
        )
        return self.head(method, target).encode(), ROUTED | REFUSED_HEAD | {409}

    def chunked(self, chunks):
        head = self.head(fields=[("Transfer-Encoding", "chunked")]).encode()
        return head + chunks

    def case_chunks(self, dice):
        body = json.dumps(
            {"model": "scripted", "max_tokens": 2, "messages": [{"role": "user", "content": "x"}]}
        ).encode()
        good = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        bad = dice.choice(
            (
                b"0x%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
                b"%x \r\n%s\r\n0\r\n\r\n" % (len(body), body),
                b"%x\n%s\r\n0\r\n\r\n" % (len(body), body),
                b"fffffffffffffffff\r\n",
                b"-5\r\nhello\r\n0\r\n\r\n",
                b"\r\n",
                b"5\r\nhelloworld\r\n0\r\n\r\n",
                b"%x;%s\r\n%s\r\n0\r\n\r\n" % (len(body), b"e" * 200_000, body),
                b"%x\r\n%s\r\n0\r\nContent-Length: 5\r\n\r\n" % (len(body), body),
                b"%x\r\n%s\r\n0\r\n: x\r\n\r\n" % (len(body), body),
                b"g\r\n",
                b"7fffffffffffffff\r\nabc",
            )
        )
        if dice.random() < 0.4:
            return self.chunked(self.mutated(dice, good, 3)), {200, 400, 404, 408, 413, CLOSED}
        return self.chunked(bad), {400, 413, CLOSED}

    def case_compressed(self, dice):
        _, body = self.good(dice)
        packed = gzip.compress(json.dumps(self.bodies["/v1/messages"]).encode())
        packed = dice.choice(
            (
                self.mutated(dice, packed),
                packed[: dice.randrange(len(packed))],
                packed + b"more",
                packed + packed,
                json.dumps(body).encode(),
            )
        )
        return self.request(
            packed, fields=[("Content-Encoding", dice.choice(("gzip", "gzip", "zstd", "GZIP", "x-gzip")))]
        ), {200, 400, 404, 415}

    def case_keys(self, dice):
        key = dice.choice(
            (
                "",
                "x",
                self.key[:-1],
                self.key + "x",
                self.key.upper(),
                "a" * 10_000,
                "Bearer",
                "é",
                '"' + self.key + '"',
            )
        )
        name = dice.choice(
            ("Authorization: Bearer ", "Authorization: Basic ", "Authorization:", "x-api-key: ", "api-key: ")
        )
        head = f"POST /v1/messages HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: 2\r\n{name}{key}\r\n\r\n"
        return head.encode() + b"{}", {401}

    # The table of requests that parsers disagree about: one answer each.
    def case_smuggling(self, dice):
        host, key = f"Host: {self.host}\r\n", f"Authorization: Bearer {self.key}\r\n"
        post = "POST /v1/messages HTTP/1.1\r\n" + host + key
        rows = (
            (post + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", 400),
            (post + "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello", 400),
            (post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
            (post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (post + "Transfer-Encoding: gzip\r\n\r\n", 501),
            (post + "Transfer-Encoding: xchunked\r\n\r\n", 501),
            (post + "Transfer-Encoding: chunked, gzip\r\n\r\n", 501),
            (post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
            (post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
            (post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (post.replace("HTTP/1.1", "HTTP/1.0") + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (post + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", 400),
            (post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
            ("POST /v1/messages HTTP/1.1\r\n" + key + "Content-Length: 2\r\n\r\n{}", 400),
            (post + host + "Content-Length: 2\r\n\r\n{}", 400),
            ("GET /v1/models HTTP/1.1\r\nHost:\r\n" + key + "\r\n", 400),
            ("GET http://other.example/v1/models HTTP/1.1\r\n" + host + key + "\r\n", 400),
            (post + "Content-Length: 5, 5\r\n\r\nhello", 400),
            (post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
            (post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
            (post + "Content-Length: +5\r\n\r\nhello", 400),
            (post + "Content-Length: 0x5\r\n\r\nhello", 400),
            (post + "Content-Length: -1\r\n\r\n", 400),
            (post + "Content-Length: 18446744073709551616\r\n\r\n", 400),
            ("GET /v1/models\x80 HTTP/1.1\r\n" + host + key + "\r\n", 400),
            ("GET /v1/models#f HTTP/1.1\r\n" + host + key + "\r\n", 400),
            ("get /v1/models HTTP/1.1\r\n" + host + key + "\r\n", 501),
            (
                "GET /v1/models HTTP/1.1\r\n"
                + host
                + key
                + "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x\r\n\r\n",
                200,
            ),
            ("GET /v1/models HTTP/1.1\r\n" + host + key + "Content-Length: 1\r\n\r\nx", 400),
            ("GET /\r\n\r\n", 400),
            ("GET /v1/models HTTP/2.0\r\n" + host + key + "\r\n", 505),
            ("GET /v1/models HTTP/1.2\r\n" + host + key + "\r\n", (400, 505)),
            ("\r\nGET /v1/models HTTP/1.1\r\n" + host + key + "\r\n", 400),
            ("GET  /v1/models HTTP/1.1\r\n" + host + key + "\r\n", 400),
            ("GET /v1/models HTTP/1.1\n" + host.replace("\r", "") + key.replace("\r", "") + "\n", 400),
            ("GET /v1/models HTTP/1.1\r\n" + host + key + "X : y\r\n\r\n", 400),
            ("GET /v1/models HTTP/1.1\r\n" + host + key + ": y\r\n\r\n", 400),
            ("GET /v1/models HTTP/1.1\r\n Leading: y\r\n" + host + key + "\r\n", 400),
            ("GET /v1/models HTTP/1.1\r\n" + host + key + "X: a\rb\r\n\r\n", 400),
            ("GET /v1/models HTTP/1.1\r\n" + host + key + "X: a\x00b\r\n\r\n", 400),
            ("GET /v1\t/models HTTP/1.1\r\n" + host + key + "\r\n", 400),
        )
        text, status = dice.choice(rows)
        # What follows must never be answered as a request of its own after a refusal.
        after = "" if status == 200 else "GET /healthz HTTP/1.1\r\n" + host + "\r\n" if dice.random() < 0.5 else ""
        return (text + after).encode("latin-1"), set(status) if isinstance(status, tuple) else {status}


def statuses_of(data, port, patience):
    """The status codes that come back for these bytes on one connection, [CLOSED] if none does. None: it hangs.

    The sending side stays open until the answer begins or `patience` ends: to the server, its end means a client that left.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as connection:
        try:
            connection.sendall(data)
            select.select([connection], [], [], patience)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused early; the answer is there to be read
        try:
            while True:
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                piece = connection.recv(1 << 16)
                if not piece:
                    break
                received += piece
        except TimeoutError:
            return None
        except OSError:
            pass
    found = []
    for line in received.split(b"\r\n"):
        # A body may hold anything but a line of this form: the server writes JSON and events.
        at = line.rfind(b"HTTP/1.1 ")
        if at >= 0 and line[at + 9 : at + 12].isdigit() and (at == 0 or line[at - 1 : at] in (b"}", b"\n", b">")):
            status = int(line[at + 9 : at + 12])
            if status != 100:
                found.append(status)
    return found or [CLOSED]


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as stream:
        return int(stream.read().split()[1]) * 4096


def judge(name, statuses, allowed):
    if statuses is None:
        return f"no end within {ANSWER_SECONDS} s"
    if name in ("smuggling", "many_fields") and len(statuses) > 1:
        return f"more than one answer: {statuses}"
    for status in statuses:
        if status >= 500 and status not in (501, 503, 505, 529):
            return f"answered {status}"
    return None if statuses[0] in allowed else f"answered {statuses[0]}, allowed are {sorted(allowed)}"


def play(server, options):
    maker = Maker(server.key, server.port)
    gateway, worker = server.pids("gateway"), server.pids("worker")
    tally = collections.defaultdict(collections.Counter)
    problems = []
    memory_early = 0
    numbers = [options.case] if options.case is not None else range(options.count)
    for number in numbers:
        name, data, allowed = maker.make(options.seed, number, options.only)
        statuses = statuses_of(data, server.port, UNFINISHED_SECONDS.get(name, ANSWER_SECONDS))
        tally[name][(statuses or ["hang"])[0]] += 1
        problem = judge(name, statuses, allowed)
        if problem or options.case is not None:
            shown = data if options.case is not None else data[:600]
            problems.append(f"case {number} ({name}): {problem}\n    {shown!r}".replace(server.key, "KEY"))
        if number == options.count // 5:
            memory_early = resident_bytes(gateway[0])
        if server.pids("gateway") != gateway:
            problems.append(
                f"after case {number} ({name}) the gateway is another process\n    {data[:2000]!r}".replace(
                    server.key, "KEY"
                )
            )
            break
        if len(problems) >= 25:
            break
    memory_late = resident_bytes(server.pids("gateway")[0])
    for name in sorted(tally):
        print(
            f"  {name:14} "
            + ", ".join(
                f"{'closed' if status == CLOSED else status}: {count}"
                for status, count in sorted(tally[name].items(), key=str)
            )
        )
    if memory_early:
        print(f"  memory of the gateway: {memory_early >> 20} MiB after a fifth, {memory_late >> 20} MiB at the end")
        if memory_late > memory_early + MEMORY_SLACK_BYTES:
            problems.append("the gateway's memory grew")
    if server.pids("worker") != worker:
        problems.append("the worker is another process")
    return problems


def check_after(server):
    problems = []
    deadline = time.monotonic() + ANSWER_SECONDS
    while server.json("GET", "/admin/v1/status")[1]["requests_running"] and time.monotonic() < deadline:
        time.sleep(0.05)
    if server.json("GET", "/admin/v1/status")[1]["requests_running"]:
        problems.append("requests are left running")
    if server.json("GET", "/admin/v1/requests?running=true")[1]["rows"]:
        problems.append("the ledger has rows that are not settled")
    status, answer = server.json(
        "POST", "/v1/messages", {"model": "scripted", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}
    )
    if status != 200 or answer["content"][0]["text"] != "ok":
        problems.append(f"a good request at the end: {status} {answer}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="cases of this class alone")
    parser.add_argument("--case", type=int, help="this case alone, shown in full")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        with freehold.Server(script=SCRIPT, config='[log]\nlevel = "warn"\n') as server:
            problems = play(server, options) + check_after(server)
    except (RuntimeError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    for problem in problems:
        print(problem)
    print(
        f"malformed inputs: {options.count if options.case is None else 1} sent with seed {options.seed}, "
        f"{len(problems)} problems, {time.monotonic() - began:.0f} s"
    )
    return 1 if problems and options.case is None else 0


if __name__ == "__main__":
    sys.exit(main())
