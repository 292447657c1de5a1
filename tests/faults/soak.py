#!/usr/bin/env python3
"""Growth: mixed load for a while, and the gateway's resident memory must level off.

usage: soak.py [--minutes N] [--clients N] [--seed S]

Streams and whole answers in both dialects, clients that leave in the middle, errors of every layer, lists and reports.
The resident memory is sampled twice a second. The run fails when its median in the last third of the time is more than
10 % and 4 MB above that of the second third (the first third is for warming up), when the gateway died, or when a
request that should have been answered was not. Exit 0 or 1.
"""
import argparse
import collections
import contextlib
import http.client
import json
import pathlib
import random
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

SCRIPT = """
set pace 1ms
set prefill 2us
set running_max 16
set queue_max 256
on user "refuse me"
  refuse invalid_argument "the script refuses this one"
on user "break off"
  text "It begins well and then "
  fail unavailable "the script broke off"
on user "use the tool" and not tool_result
  tool get_weather {"city": "Paris", "unit": "celsius"}
on any
  text "An answer of some length, in words, so that there is something to stream and something to leave early."
"""
GROWTH_SHARE = 0.10
GROWTH_MB = 4
SAMPLE_SECONDS = 0.5
TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def rss_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as stream:
        for line in stream:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


class Load:
    """Clients that send one request of a random kind after the other, until stopped or until `requests_max` are done."""

    def __init__(self, port, key, clients=8, seed=1, requests_max=None):
        self.port, self.key, self.requests_max = port, key, requests_max
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.begun, self.ended, self.tally, self.wrong = 0, 0, collections.Counter(), []
        self.threads = [threading.Thread(target=self.client, args=(random.Random(seed * 1000 + i),), daemon=True)
                        for i in range(clients)]
        self.kinds = [(self.chat, 30), (self.chat_stream, 30), (self.messages, 10), (self.messages_stream, 15),
                      (self.leave, 15), (self.tool, 5), (self.refused, 5), (self.broken, 4), (self.bad_json, 4),
                      (self.bad_key, 4), (self.no_model, 4), (self.nowhere, 3), (self.lists, 3)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self, seconds=60):
        self.stopping.set()
        for thread in self.threads:
            thread.join(seconds)

    def running(self):
        return any(thread.is_alive() for thread in self.threads)

    def done(self):
        return self.ended

    def counts(self):
        return dict(self.tally)

    def client(self, choice):
        actions, weights = zip(*self.kinds)
        while not self.stopping.is_set():
            with self.lock:
                if self.requests_max is not None and self.begun >= self.requests_max:
                    return
                self.begun += 1
            action = choice.choices(actions, weights)[0]
            try:
                kind, problem = action.__name__, action(choice)
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                kind, problem = action.__name__, f"{type(error).__name__}: {error}"
            with self.lock:
                self.ended += 1
                self.tally[kind] += 1
                if problem and len(self.wrong) < 50:
                    self.wrong.append(f"{kind}: {problem}")

    # ---- what can be asked; each returns what was wrong with the answer, or None ----

    @contextlib.contextmanager
    def exchange(self, path, body, key=None, method="POST"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            payload = body if isinstance(body, (bytes, type(None))) else json.dumps(body)
            connection.request(method, path, payload, {"authorization": f"Bearer {key or self.key}",
                                                       "content-type": "application/json", "anthropic-version": "2023-06-01"})
            yield connection.getresponse()
        finally:
            connection.close()

    @staticmethod
    def conversation(choice, text=None, **more):
        turns = []
        for i in range(choice.randint(0, 3)):
            turns += [{"role": "user", "content": f"turn {i}: " + "words and more words " * choice.randint(1, 40)},
                      {"role": "assistant", "content": "an answer from before"}]
        turns.append({"role": "user", "content": text or f"question {choice.randint(0, 10**9)}"})
        return {"model": "default", "max_tokens": choice.randint(1, 40), "messages": turns, **more}

    def expect(self, want, path, body, **options):
        with self.exchange(path, body, **options) as answer:
            text = answer.read()
            return None if answer.status == want else f"status {answer.status} instead of {want}: {text[:200]!r}"

    def chat(self, choice):
        return self.expect(200, "/v1/chat/completions", self.conversation(choice))

    def messages(self, choice):
        return self.expect(200, "/v1/messages", self.conversation(choice))

    def streamed(self, path, body, last):
        with self.exchange(path, body) as answer:
            text = answer.read()
            if answer.status != 200:
                return f"status {answer.status}: {text[:200]!r}"
            return None if last in text else "the stream has no end"

    def chat_stream(self, choice):
        return self.streamed("/v1/chat/completions", self.conversation(choice, stream=True), b"data: [DONE]")

    def messages_stream(self, choice):
        return self.streamed("/v1/messages", self.conversation(choice, stream=True), b"event: message_stop")

    def leave(self, choice):
        path = choice.choice(["/v1/chat/completions", "/v1/messages"])
        with self.exchange(path, self.conversation(choice, stream=choice.random() < 0.7)) as answer:
            answer.read(choice.randint(0, 300))

    def tool(self, choice):
        tools = [{"type": "function", "function": {"name": "get_weather", "parameters": TOOL}}]
        return self.expect(200, "/v1/chat/completions", self.conversation(choice, "use the tool", tools=tools))

    def refused(self, choice):
        return self.expect(400, "/v1/chat/completions", self.conversation(choice, "refuse me"))

    def broken(self, choice):
        body = self.conversation(choice, "break off", stream=True)
        body["max_tokens"] = 40
        with self.exchange("/v1/chat/completions", body) as answer:
            text = answer.read()
            return None if answer.status == 200 and b'"error"' in text else f"status {answer.status}, no error in the stream"

    def bad_json(self, choice):
        return self.expect(400, "/v1/chat/completions", b'{"model": "default", "messages": [' + b"[" * choice.randint(0, 500))

    def bad_key(self, choice):
        return self.expect(401, "/v1/chat/completions", self.conversation(choice), key="fh-no-such-key")

    def no_model(self, choice):
        body = self.conversation(choice)
        body["model"] = f"nobody-{choice.randint(0, 10**9)}"
        return self.expect(404, "/v1/chat/completions", body)

    def nowhere(self, choice):
        return self.expect(404, f"/v1/nowhere/{choice.randint(0, 10**9)}", None, method="GET")

    def lists(self, choice):
        return self.expect(200, choice.choice(["/v1/models", "/metrics", "/readyz"]), None, method="GET")


def middle(samples):
    ordered = sorted(samples)
    return ordered[len(ordered) // 2]


def sample(server, load, seconds):
    """[(seconds since the start, MB)] of the gateway, while the load runs."""
    gateway = server.pids("gateway")[0]
    begun = time.monotonic()
    samples = []
    while time.monotonic() < begun + seconds:
        if server.pids("gateway") != [gateway]:
            raise RuntimeError("the gateway died under the load")
        samples.append((time.monotonic() - begun, rss_mb(gateway)))
        time.sleep(SAMPLE_SECONDS)
    return samples


def run(arguments):
    seconds = arguments.minutes * 60
    with freehold.Server(script=SCRIPT) as server:
        load = Load(server.port, server.key, clients=arguments.clients, seed=arguments.seed)
        load.start()
        try:
            samples = sample(server, load, seconds)
        finally:
            load.stop()
        code = server.stop()
    second = middle([mb for at, mb in samples if seconds / 3 <= at < 2 * seconds / 3])
    last = middle([mb for at, mb in samples if at >= 2 * seconds / 3])
    limit = second * (1 + GROWTH_SHARE) + GROWTH_MB
    for line in load.wrong:
        print(line)
    print(f"soak: {load.done()} requests in {arguments.minutes:g} minutes {load.counts()}, seed {arguments.seed}")
    print(f"soak: gateway {samples[0][1]:.1f} MB at first, {second:.1f} MB in the second third, {last:.1f} MB in the last "
          f"(limit {limit:.1f}), {len(load.wrong)} wrong answers, exit code {code}")
    return 0 if last <= limit and not load.wrong and code == 0 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
