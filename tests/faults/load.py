"""The load of the kill tests and its journal: what each request was, and what the client was told, fsynced line by
line before the next step. The journal is the oracle; it knows nothing of the server's own books."""
import http.client
import json
import os
import random
import threading


class Journal:
    def __init__(self, path):
        self.stream = open(path, "a", encoding="utf-8")
        self.lock = threading.Lock()

    def write(self, **record):
        with self.lock:
            self.stream.write(json.dumps(record) + "\n")
            self.stream.flush()
            os.fsync(self.stream.fileno())


class Load:
    """Clients that ask one question after the other until told to stop. Errors are expected: the server is killed."""

    def __init__(self, port, key, journal, clients=4, seed=1):
        self.port, self.key, self.journal = port, key, journal
        self.stopping = threading.Event()
        self.numbers = iter(range(10**9))
        self.number_lock = threading.Lock()
        self.threads = [threading.Thread(target=self.client, args=(random.Random(seed * 1000 + i),), daemon=True)
                        for i in range(clients)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self, seconds=30):
        self.stopping.set()
        for thread in self.threads:
            thread.join(seconds)

    def client(self, choice):
        while not self.stopping.is_set():
            with self.number_lock:
                number = next(self.numbers)
            try:
                self.ask(number, choice)
            except (OSError, http.client.HTTPException, ValueError) as problem:
                self.journal.write(n=number, end="broken", why=type(problem).__name__)
                self.stopping.wait(0.02)

    def ask(self, number, choice):
        stream = choice.random() < 0.6
        give_up = choice.random() < 0.15
        body = {"model": "default", "stream": stream, "max_tokens": choice.randint(1, 30),
                "messages": [{"role": "user", "content": f"question {number}: please answer at some length"}]}
        if stream:
            body["stream_options"] = {"include_usage": True}
        self.journal.write(n=number, begin=True, stream=stream)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(body),
                               {"authorization": f"Bearer {self.key}", "content-type": "application/json"})
            answer = connection.getresponse()
            request_id = answer.getheader("x-request-id")
            self.journal.write(n=number, status=answer.status, request_id=request_id)
            if answer.status != 200:
                answer.read()
                return
            if give_up and stream:
                answer.read(40)
                self.journal.write(n=number, end="left", request_id=request_id)
                return
            usage = self.read_usage(answer, stream)
            if usage is None:
                self.journal.write(n=number, end="cut", request_id=request_id)
            else:
                self.journal.write(n=number, end="whole", request_id=request_id, prompt=usage["prompt_tokens"],
                                   output=usage["completion_tokens"])
        finally:
            connection.close()

    @staticmethod
    def read_usage(answer, stream):
        text = answer.read().decode("utf-8", "replace")
        if not stream:
            return json.loads(text)["usage"]
        if "data: [DONE]" not in text:
            return None
        usage = None
        for line in text.split("\n"):
            if line.startswith("data: {"):
                usage = json.loads(line[6:]).get("usage") or usage
        return usage
