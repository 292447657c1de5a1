"""The servers that benches of a running model hold against each other, and how they are asked."""
import http.client
import json
import subprocess
import time

import bench
import freehold

CONTEXT = 8192


class Peer:
    """llama-server on a loopback port."""

    def __init__(self, program, model, threads, extra=()):
        self.port = freehold.free_port()
        self.key = "none"
        command = [program, "-m", model, "--host", "127.0.0.1", "--port", self.port, "-t", threads, "-c", 2 * CONTEXT,
                   "-np", 2, "-fa", "on", *extra]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.computes = self.process.pid
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        self.stop()
        raise bench.Problem("llama-server was not ready after 120 s")

    def stop(self):
        self.process.kill()
        self.process.wait()


class Ours:
    def __init__(self, binary, data, model, threads):
        self.server = freehold.Server(data=data, binary=str(binary), models=[model], config=(
            f"[engine]\nthreads = {threads}\nsequences = 2\ncontext_tokens = {CONTEXT}\n[limits]\nrequest_seconds = 3600\n"))
        self.port, self.key = self.server.port, self.server.key
        self.computes = self.server.pids("worker")[0]

    def stop(self):
        self.server.stop()


def ask(target, text, tokens, stream, no_end=()):
    """The open answer of a chat completion."""
    body = {"model": "default", "stream": stream, "max_tokens": tokens, "temperature": 0,
            "messages": [{"role": "user", "content": text}]}
    if no_end:
        body["logit_bias"] = {str(token): -100 for token in no_end}
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=1800)
    connection.request("POST", "/v1/chat/completions", json.dumps(body),
                       {"authorization": f"Bearer {target.key}", "content-type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise bench.Problem(f"an answer with status {answer.status}: {answer.read()[:200]!r}")
    return connection, answer


def wait_until_idle(target):
    """What a server still does for a client that has gone would count against the next one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        before = bench.cpu_seconds(target.computes)
        time.sleep(0.5)
        if bench.cpu_seconds(target.computes) - before < 0.02:
            return
    raise bench.Problem("a server does not come to rest")
