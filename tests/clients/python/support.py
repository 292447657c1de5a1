"""What the Python client tests share: the server under test (from the environment), both official clients, raw HTTP."""

import http.client
import json
import os
import time
import unittest
import urllib.parse

import anthropic
import openai

URL = os.environ["FREEHOLD_URL"]
KEY = os.environ["FREEHOLD_KEY"]
MODEL = os.environ["FREEHOLD_MODEL"]
SCRIPTED = os.environ["FREEHOLD_ENGINE"] == "scripted"
needs_script = unittest.skipUnless(SCRIPTED, "needs the scripted engine: a real model does not answer on demand")
PATIENCE_S = 20

openai_client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=120)
anthropic_client = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0, timeout=120)

WEATHER_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
    "required": ["city"],
    "additionalProperties": False,
}
PERSON_SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "mood": {"enum": ["glad", "sad"], "type": "string"},
    },
    "required": ["name", "age", "mood"],
    "additionalProperties": False,
}
ONE_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

_cases = iter(range(1_000_000))


def long_prompt():
    """A text of some hundred tokens that no earlier request began with."""
    words = ", ".join(f"item {i % 97}" for i in range(200 if SCRIPTED else 90))
    return f"Case {os.getpid()}-{time.time_ns()}-{next(_cases)}. {words}"


def repeated(cached, total):
    """A repeated prompt is read but for its last token (by the scripted engine: but for its last block of 16)."""
    return cached < total and total - cached <= (16 if SCRIPTED else 1)


def gone_on(cached, before):
    """A conversation that went on shares what it had before in whole pieces."""
    return before - cached <= (16 if SCRIPTED else 64)


def is_cut(reason, used, limit, text):
    """A small model may not find the end of its JSON; then the answer must say that its tokens were used up."""
    return not SCRIPTED and reason in ("length", "max_tokens") and used == limit and text.lstrip().startswith("{")


def user(content):
    return [{"role": "user", "content": content}]


def raw(method, path, body=None, headers=None, auth=True):
    """(status, headers with lower-case names, text)"""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(URL).netloc, timeout=120)
    try:
        sent = {
            "content-type": "application/json",
            **({"authorization": f"Bearer {KEY}"} if auth else {}),
            **(headers or {}),
        }
        connection.request(method, path, json.dumps(body) if isinstance(body, (dict, list)) else body, sent)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def status():
    return json.loads(raw("GET", "/admin/v1/status")[2])


def wait_idle():
    deadline = time.monotonic() + PATIENCE_S
    while status()["requests_running"]:
        if time.monotonic() > deadline:
            raise AssertionError(f"requests still run after {PATIENCE_S} s")
        time.sleep(0.02)


def ledger_row(request_id):
    """The settled row of a request."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        code, _, text = raw("GET", f"/admin/v1/requests/{request_id}")
        if code == 200 and "end_reason" in json.loads(text):
            return json.loads(text)
        if time.monotonic() > deadline:
            raise AssertionError(f"request {request_id} has no settled row: {code} {text}")
        time.sleep(0.02)
