#!/usr/bin/env python3
"""Plays the transcripts of this folder against a Freehold; README.md has their format.

usage: tests/transcripts/run.py [--update] [FILE.t ...]

Exit code 0: all as written down. 1: something differs. 2: a transcript cannot be read or played.
"""

import difflib
import http.client
import json
import pathlib
import re
import shlex
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

SHOWN_HEADERS = (
    "content-type",
    "cache-control",
    "x-accel-buffering",
    "x-should-retry",
    "retry-after-ms",
    "retry-after",
    "allow",
    "location",
    "www-authenticate",
)
KEY_HEADERS = ("authorization", "x-api-key", "api-key", "anonymous")
WAIT_SECONDS = 30
RANDOM_ID = re.compile(r"\b(req_|msg_|chatcmpl-|key_|fh-)([0-9A-Za-z]{20,})")


class Unreadable(Exception):
    """A transcript that does not follow the format."""


class Masks:
    """Random ids as numbers, by first appearance; keep-alives in a row as one."""

    def __init__(self):
        self.known = {}
        self.counts = {}

    def __call__(self, text):
        def number(match):
            prefix = match[1]
            if match[0] not in self.known:
                self.counts[prefix] = self.counts.get(prefix, 0) + 1
                self.known[match[0]] = f"{prefix}<{self.counts[prefix]}>"
            return self.known[match[0]]

        text = RANDOM_ID.sub(number, text)
        text = re.sub(r'(?:event: ping\ndata: \{"type":"ping"\}\n\n)+', 'event: ping\ndata: {"type":"ping"}\n\n', text)
        text = re.sub(r"(?:: keepalive\n\n)+", ": keepalive\n\n", text)
        return re.sub(r'("object":"chat\.completion[a-z.]*","created":)\d+', r"\1<time>", text)


def sections_of(text):
    """(opening comment, [(head, body text)])"""
    parts = re.split(r"^--- (.*)\n", text, flags=re.M)
    return parts[0], list(zip(parts[1::2], parts[2::2]))


def split_message(text):
    """Header lines, then an empty line, then the body; (pairs, body)."""
    if text.startswith("\n"):
        return [], text[1:]
    head, _, body = text.partition("\n\n")
    pairs = []
    for line in head.splitlines():
        name, colon, value = line.partition(": ")
        if not colon:
            raise Unreadable(f"not a header line: {line!r}")
        pairs.append((name, value))
    return pairs, body


def expanded(text, server):
    text = text.replace("$KEY", server.key)
    return re.sub(r"\$\((.)\*(\d+)\)", lambda found: found[1] * int(found[2]), text)


class Player:
    """Plays one transcript and collects what came back, in the transcript's own form."""

    def __init__(self, server):
        self.server = server
        self.masks = Masks()
        self.connection = None
        self.done = None
        self.last_body = ""

    def send(self, head, text):
        words = head.split(" ")
        if len(words) != 2:
            raise Unreadable(f"a request is a method and a target: {head!r}")
        pairs, body = split_message(text)
        body = expanded(body.rstrip("\n"), self.server)
        headers = {name: expanded(value, self.server) for name, value in pairs if name != "anonymous"}
        if not any(name in KEY_HEADERS for name, _ in pairs):
            headers["authorization"] = f"Bearer {self.server.key}"
        if body:
            headers.setdefault("content-type", "application/json")
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=WAIT_SECONDS)
        try:
            self.connection.request(words[0], words[1], body.encode() or None, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before the body was read; the answer says why

    def answer(self, names):
        answer = self.connection.getresponse()
        body = answer.read().decode()
        self.connection.close()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        lines = [f"{name}: {headers[name]}" for name in SHOWN_HEADERS if name in headers]
        request_id = headers.get("request-id", "")
        if not request_id.startswith("req_") or headers.get("x-request-id") != request_id:
            lines.append(f"(request-id {request_id!r}, x-request-id {headers.get('x-request-id')!r})")
        if body.startswith('{"type":"error"') and json.loads(body).get("request_id") != request_id:
            lines.append("(the body's request_id is another)")
        if names:
            body = "".join(sorted(set(re.findall(r"^# TYPE .*\n", body, re.M))))
        return f"answer {answer.status}{' names' if names else ''}", "\n".join(lines) + "\n\n" + self.ended(
            self.masks(body)
        )

    @staticmethod
    def ended(body):
        return body if not body or body.endswith("\n") else body + "\n"

    def cut(self, wanted):
        deadline = time.monotonic() + WAIT_SECONDS
        answer = self.connection.getresponse()
        seen = b""
        while wanted.encode() not in seen:
            if time.monotonic() > deadline:
                raise Unreadable(f"{wanted!r} never came")
            piece = answer.read1(65536)
            if not piece:
                raise Unreadable(f"the answer ended without {wanted!r}")
            seen += piece
        if self.connection.sock:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        answer.close()
        self.connection.close()

    def write(self, words, text):
        name, _, mode = words.partition(" ")
        path = self.server.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(int(mode or "600", 8))

    def command(self, words):
        self.done = self.server.cli(*shlex.split(words), check=False, cwd=self.server.data)

    def output(self):
        text = self.done.stdout + self.done.stderr
        return f"output {self.done.returncode}", self.masks(text.replace(str(self.server.data), "$DATA"))

    def ledger(self):
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            _, answer = self.server.json("GET", "/admin/v1/requests?limit=1000")
            rows = answer["rows"][::-1]
            if all(row["state"] == "settled" for row in rows) or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        lines = []
        for row in rows:
            usage = row.get("usage") or {}
            line = (
                f"{row['dialect']} {row['model_served']} {row.get('end_reason', 'RUNNING')} {row.get('http_status')} "
                f"in={usage.get('input_uncached')} read={usage.get('cache_read')} write={usage.get('cache_write')} "
                f"out={usage.get('output')} reasoning={usage.get('reasoning')}"
            )
            line += " stream" if row["stream"] else ""
            line += f" {row['workload']}" if row["workload"] else ""
            line += f" error={row['error_code']}" if row.get("error_code") else ""
            lines.append(line + "\n")
        return "".join(lines)


def play(text):
    """The transcript as it would be if what comes back now were right."""
    comment, sections = sections_of(text)
    given = {head: body for head, body in sections if head in ("script", "config")}
    out = [comment]
    with freehold.Server(
        script=given.get("script", "# the engine's own sentence\n"), config=given.get("config")
    ) as server:
        player = Player(server)
        for head, body in sections:
            kind, _, rest = head.partition(" ")
            if kind in ("script", "config"):
                pass
            elif kind == "request":
                player.send(rest, body)
            elif kind == "answer":
                head, body = player.answer(rest.endswith(" names"))
            elif kind == "cut":
                player.cut(json.loads(rest))
            elif kind == "file":
                player.write(rest, body)
            elif kind == "command":
                player.command(rest)
            elif kind == "output":
                head, body = player.output()
            elif kind == "ledger":
                body = player.ledger()
            else:
                raise Unreadable(f"an unknown section: {head!r}")
            out.append(f"--- {head}\n{body}")
    return "".join(out)


def main(arguments):
    if any(word in ("-h", "--help") for word in arguments):
        print(__doc__)
        return 0
    update = "--update" in arguments
    files = [pathlib.Path(word) for word in arguments if not word.startswith("--")] or sorted(HERE.glob("*.t"))
    different = 0
    for path in files:
        text = path.read_text()
        try:
            came = play(text)
        except (Unreadable, RuntimeError, OSError, http.client.HTTPException) as problem:
            print(f"error: {path.name}: {problem}", file=sys.stderr)
            return 2
        if came == text:
            continue
        if update:
            path.write_text(came)
            print(f"{path.name}: written")
            continue
        different += 1
        sys.stdout.writelines(
            difflib.unified_diff(
                text.splitlines(True), came.splitlines(True), f"{path.name} as written", f"{path.name} as it came"
            )
        )
    if not update:
        print(f"transcripts: {len(files) - different} as written, {different} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
