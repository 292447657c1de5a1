#!/usr/bin/env python3
"""A server without a model takes up those that are imported while it runs: the first becomes its default, and a second one
joins without harm to an answer that is being written. After a restart both are there.

usage: tests/wire/models.py

FH_TEST_MODEL names the starter model's file. Exit code 0: so it is, 1: it is not, 2: could not be run.
"""

import http.client
import json
import os
import pathlib
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

problems = []


def expect(what, found, wanted):
    if found != wanted:
        problems.append(f"{what}: {found!r}, expected is {wanted!r}")


def ids(server):
    return sorted(model["id"] for model in server.json("GET", "/admin/v1/models")[1]["models"])


def ask(server, model, tokens=8):
    return server.request("POST", "/v1/chat/completions", {
        "model": model, "max_tokens": tokens, "temperature": 0, "messages": [{"role": "user", "content": "Count on: 1 2 3"}],
    }, timeout=300)


def wait_until_answered(server, model):
    """The model's worker starts with the first request or before it."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        status, headers, body = ask(server, model)
        if status == 200:
            return server.json("GET", f"/admin/v1/requests/{headers['x-request-id']}")[1]["model_served"]
        if status not in (503, 529):
            break
        time.sleep(0.2)
    return f"{status}: {body[:300]!r}"


class Stream(threading.Thread):
    """A long answer, read to its end."""

    def __init__(self, server, model):
        super().__init__(daemon=True)
        self.server, self.model, self.events, self.last = server, model, 0, b""

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=300)
        body = {"model": self.model, "stream": True, "max_tokens": 400, "logit_bias": {"0": -100, "2": -100},
                "messages": [{"role": "user", "content": "Tell a very long story."}]}
        connection.request("POST", "/v1/chat/completions", json.dumps(body),
                           {"authorization": f"Bearer {self.server.key}", "content-type": "application/json"})
        for line in connection.getresponse():
            if line.startswith(b"data: "):
                self.events += 1
                self.last = line.strip()
        connection.close()


def main():
    model = os.environ.get("FH_TEST_MODEL")
    if not model:
        print("error: FH_TEST_MODEL names no file", file=sys.stderr)
        return 2
    with freehold.Server(models=[], wait=False) as server:
        server.wait_listening()
        expect("models at first", ids(server), [])
        expect("an answer without a model", ask(server, "default")[0], 404)
        told = json.loads(server.cli("models", "import", model, "--as", "one", "--json").stdout)
        expect("the import's report", (told["id"], told["served"]), ("one", True))
        expect("models after an import", ids(server), ["one"])
        expect("who answers for the default", wait_until_answered(server, "default"), "one")

        stream = Stream(server, "one")
        stream.start()
        while stream.is_alive() and stream.events < 5:
            time.sleep(0.01)
        second = server.cli("models", "import", model, "--as", "two", "--alias", "other")
        expect("what a second import says", "serves it from now on" in second.stdout, True)
        expect("models after a second import", ids(server), ["one", "two"])
        expect("who answers for the alias", wait_until_answered(server, "other"), "two")
        stream.join(300)
        expect("the end of the answer that was being written", stream.last, b"data: [DONE]")
        _, again = server.json("POST", "/admin/v1/models/refresh", {})
        expect("what there is to add now", again, {"added": []})
        server.stop()
        server.start()
        expect("models after a restart", ids(server), ["one", "two"])
        server.cli("models", "remove", "two")
        expect("models after a removal", ids(server), ["one", "two"])
        told = json.loads(server.cli("models", "import", model, "--as", "two", "--json").stdout)
        expect("an import under a name that is still served", told["served"], False)
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"models that come while the server runs: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        sys.exit(2)
