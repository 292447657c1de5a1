"""Starts, stops and talks to a Freehold under test. Standard library only; loopback only; every wait is bounded."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("FREEHOLD_BINARY") or str(ROOT / "build" / "freehold")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    """Process ids of the direct children."""
    with contextlib.suppress(OSError):
        found = []
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as stream:
                found += [int(word) for word in stream.read().split()]
        return found
    return []


def role_of(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            for word in stream.read().split(b"\0"):
                if word.startswith(b"--role="):
                    return word[len(b"--role="):].decode()
    return ""


class Server:
    """One Freehold on a data folder and a port of its own."""

    def __init__(self, script=None, data=None, models=(), binary=None, config=None, wait=True, port=None):
        self.binary = binary or BINARY
        self.folder = None if data else tempfile.TemporaryDirectory(prefix="freehold-test-")
        self.data = pathlib.Path(data or self.folder.name)
        self.script = script
        self.port = port or free_port()
        self.process = None
        self.log = self.data / "server.log"
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.data), "FREEHOLD_DATA": str(self.data)}
        if config:
            (self.data / "freehold.toml").write_text(config)
        if script and not str(script).endswith(".script"):
            path = self.data / "engine.script"
            path.write_text(script)
            self.script = path
        for model in models:
            self.cli("models", "import", str(model))
        try:
            self.start(wait)
        except BaseException:  # nobody has this object yet, so nobody else would stop what runs
            self.stop()
            raise

    def cli(self, *arguments, check=True, **options):
        return subprocess.run([self.binary, *arguments], env=self.environment, check=check, capture_output=True, text=True,
                              timeout=120, **options)

    def start(self, wait=True):
        command = [self.binary, "up", "--listen", f"127.0.0.1:{self.port}"]
        if self.script:
            command += ["--engine-script", str(self.script)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, _, _ = self.get("/readyz", key="")
                if status == 200:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"the server was not ready after {seconds} s:\n{self.log.read_text()[-3000:]}")

    def wait_listening(self, seconds=60):
        """Until requests are answered at all; with a model or without."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.get("/healthz", key="")
                return
            time.sleep(0.02)
        raise RuntimeError(f"nothing listened after {seconds} s:\n{self.log.read_text()[-3000:]}")

    @property
    def key(self):
        return (self.data / "admin.key").read_text().strip()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def request(self, method, path, body=None, key=None, headers=None, timeout=60):
        """(status, headers with lower-case names, body bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            sent = {"content-type": "application/json"}
            if key is None:
                key = self.key
            if key:
                sent["authorization"] = f"Bearer {key}"
            sent.update(headers or {})
            payload = json.dumps(body) if isinstance(body, (dict, list)) else body
            connection.request(method, path, payload, sent)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body, **options):
        return self.request("POST", path, body, **options)

    def json(self, method, path, body=None, **options):
        status, _, answer = self.request(method, path, body, **options)
        return status, json.loads(answer)

    def pids(self, role):
        return [pid for pid in children(self.process.pid) if role_of(pid) == role]

    def stop(self, seconds=30):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.check_log()
        return self.process.returncode if self.process else None

    def check_log(self):
        """A build with sanitizers writes what it finds into the log; the process that it ends is started anew."""
        log = self.log.read_text(errors="replace") if self.log.exists() else ""
        found = re.search(r"Sanitizer: |:\d+:\d+: runtime error: ", log)
        if found:
            at = max(0, found.start() - 200)
            raise RuntimeError(f"a sanitizer has found something:\n{log[at:at + 6000]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if self.folder:
            self.folder.cleanup()
