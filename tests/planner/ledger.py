#!/usr/bin/env python3
"""The ledger as the source of a plan: a server with the scripted engine answers requests, and `freehold plan` is asked for
plans of its data folder: while it runs and after; on requests that ran here, also as if an API had answered them; with rows
of other days and of an upstream (the same rows, moved in the file once the server has stopped); and with a provider's
report beside them that holds some of the same requests.

usage: tests/planner/ledger.py

Exit code 0: all as it must be, 1: something was not.
"""

import datetime
import json
import pathlib
import sqlite3
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

SCRIPT = """
set context_tokens 200000
on any
  echo
"""
MODEL = "anthropic/claude-opus-5-5"
REQUESTS = 12
PASSED_ON = 8
DAY_NS = 86_400 * 10**9
MONTH_DAYS = 365 / 12
problems = []


def check(right, what):
    if not right:
        problems.append(what)
        print(f"wrong: {what}")


def near(found, wanted, what, within=1e-6):
    check(abs(found - wanted) <= within * max(1.0, abs(wanted)), f"{what}: {found}, not {wanted}")


def plan(server, *arguments):
    done = server.cli("plan", *arguments, check=False)
    check(done.returncode == 0, f"plan {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def plan_json(server, *arguments):
    return json.loads(plan(server, "--json", *arguments))


def flat(text):
    return " ".join(text.split())


def bill_of(result):
    return next(i for i in result["inputs"] if i["name"] == "bill_list_usd_month")


def ask(server):
    for i in range(REQUESTS):
        status, _, _ = server.post(
            "/v1/messages",
            {"model": "scripted", "max_tokens": 4096, "messages": [{"role": "user", "content": f"word {i} " * (40 + i)}]},
            headers={"x-freehold-workload": "review" if i % 3 else "chat"},
        )
        check(status == 200, f"request {i} was answered with {status}")


def price_elsewhere(server):
    """What the ledger itself says that the same tokens cost at MODEL, in USD, and the tokens."""
    totals = json.loads(server.cli("usage", "--json").stdout)["totals"]
    cost = next(c for c in totals["api_costs"] if c["model"] == MODEL)
    return cost["micro_usd"] / 1e6, totals["usage"]


def local_rows(server):
    usd, tokens = price_elsewhere(server)  # asked first: the server then has every settled row in its database
    text = plan(server)
    check(text.startswith("EXAMPLE"), "without an API's usage the example is shown")
    check(f"{REQUESTS} requests in the ledger ran on models of this machine" in flat(text), "the local requests are said")
    check("--local-as" in text, "and how to plan on them")
    result = plan_json(server, "--local-as", MODEL)
    check(not result["example"], "a plan on local requests is no example")
    check(result["usage"]["requests"] == REQUESTS, f"{result['usage']['requests']} requests")
    check(result["usage"]["days"] == 1, f"{result['usage']['days']} days")
    found = result["usage"]["tokens"]
    check(found["output"] == tokens["output"], "the output tokens are the ledger's")
    check(found["cache_read"] == tokens["cache_read"], "the cached tokens are the ledger's")
    check({w["name"] for w in result["usage"]["workloads"]} == {"chat", "review"}, "workload tags name the workloads")
    # The ledger rounds each row to a millionth; the plan adds the same rows.
    near(bill_of(result)["value"], usd * MONTH_DAYS, "the bill of one day as a month", 1e-4)
    check(bill_of(result)["confidence"] == "low", "one day is little to go by")
    check(result["verdict"]["word"] == "stay", f"so little usage stays: {result['verdict']['word']}")
    text = flat(plan(server, "--local-as", MODEL))
    check("counted as " + MODEL in text, "the what-if is said")
    check("(1 day, " in text and "Only 1 day of usage: a month is taken as 30.4 times that" in text, f"one day: {text}")
    for arguments in (["--local-as", "no/such-model"], ["--local-as", ""]):
        done = server.cli("plan", *arguments, check=False)
        check((done.returncode == 0) == (arguments[1] == ""), f"{arguments} ended with {done.returncode}")


def move_rows(data):
    """The rows over three days, and most of them as an upstream leaves them."""
    book = sqlite3.connect(data / "ledger.db")
    rows = [row for row, in book.execute("SELECT sequence FROM admissions ORDER BY sequence")]
    check(len(rows) == REQUESTS, f"{len(rows)} rows in the ledger")
    for i, row in enumerate(rows):
        back = (2 - i * 3 // REQUESTS) * DAY_NS
        book.execute("UPDATE admissions SET received_unix_ns = received_unix_ns - ?, admitted_unix_ns = admitted_unix_ns - ?"
                     " WHERE sequence = ?", (back, back, row))
        book.execute("UPDATE settlements SET ended_unix_ns = ended_unix_ns - ?, first_token_unix_ns = first_token_unix_ns - ?"
                     " WHERE sequence = ?", (back, back, row))
        if i < PASSED_ON:
            book.execute("UPDATE admissions SET upstream = 'anthropic', model_served = 'claude-opus-5-5' WHERE sequence = ?",
                         (row,))
    book.commit()
    first = book.execute("SELECT min(received_unix_ns) FROM admissions").fetchone()[0]
    on_first_day = book.execute("SELECT count(*) FROM admissions WHERE received_unix_ns / ? = ?",
                                (DAY_NS, first // DAY_NS)).fetchone()[0]
    book.close()
    return first // DAY_NS, on_first_day


def passed_on(server):
    refused = plan_json(server)
    check(refused["verdict"]["word"] == "no advice", "what nobody charged is no bill")
    result = plan_json(server, "--despite-gap")
    check(result["usage"]["requests"] == PASSED_ON, f"{result['usage']['requests']} requests were passed on")
    check(result["usage"]["days"] == 2, f"{result['usage']['days']} days of them")
    check(result["usage"]["unpriced_tokens"] == 0, "all of them have a price")
    check(any(f"{REQUESTS - PASSED_ON} requests in the ledger ran on" in note for note in result["notes"]),
          f"the rest is said: {result['notes']}")
    check("2 days" in bill_of(result)["source"], bill_of(result)["source"])
    everything = plan_json(server, "--local-as", MODEL)
    check(everything["usage"]["requests"] == REQUESTS - PASSED_ON, "the local rest is planned on alone")
    return result


def report_of(start, end, uncached, output):
    return {"starting_at": f"{start:%Y-%m-%dT%H:%M:%SZ}", "ending_at": f"{end:%Y-%m-%dT%H:%M:%SZ}", "results": [{
        "uncached_input_tokens": uncached, "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0}, "output_tokens": output,
        "server_tool_use": {"web_search_requests": 0}, "model": "claude-opus-5-5", "service_tier": "standard",
        "context_window": "0-200k", "inference_geo": "global", "api_key_id": "apikey_1", "account_id": None,
        "service_account_id": None, "workspace_id": "wrkspc_1"}]}


def with_report(server, alone, day, on_that_day):
    """A provider's report of the first day: it holds this gateway's requests and more."""
    start = datetime.datetime.fromtimestamp(day * 86_400, datetime.timezone.utc)
    bucket = report_of(start, start + datetime.timedelta(days=1), 4_000_000, 500_000)
    report = {"data": [bucket], "has_more": False, "next_page": None}
    path = server.data / "report.json"
    path.write_text(json.dumps(report))
    server.cli("usage", "import", str(path))
    result = plan_json(server, "--despite-gap")
    check(result["evidence"] == f"1 imported usage record and {PASSED_ON - on_that_day} requests of this gateway's ledger",
          result["evidence"])
    check(any(f"same model and day: {on_that_day} requests of this gateway" in note for note in result["notes"]),
          f"what counts once is said: {result['notes']}")
    tokens = result["usage"]["tokens"]
    check(tokens["output"] >= 500_000, "the report counts")
    check(tokens["output"] < 500_000 + alone["usage"]["tokens"]["output"], "the first day's requests count once")
    check(result["usage"]["days"] == 2, f"{result['usage']['days']} days")
    return result


def with_hours(server, before, day):
    """The same report by the hour, as far as two hours of it: the day's tells more and counts alone."""
    start = datetime.datetime.fromtimestamp(day * 86_400, datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    buckets = [report_of(start + i * hour, start + (i + 1) * hour, 1_000_000, 100_000) for i in range(2)]
    path = server.data / "hours.json"
    path.write_text(json.dumps({"data": buckets, "has_more": False, "next_page": None}))
    server.cli("usage", "import", str(path))
    result = plan_json(server, "--despite-gap")
    check(result["usage"]["tokens"] == before["usage"]["tokens"], f"the hours count once: {result['usage']['tokens']}")
    check(result["evidence"] == before["evidence"], result["evidence"])
    check(any("shorter buckets tell it: 2 imported records left out" in note for note in result["notes"]),
          f"{result['notes']}")


def with_transcript(server, before, day):
    """A tool's own log: one request on the report's day, which counts once, one on the day after, which may count twice."""
    lines = []
    for i in range(2):
        at = datetime.datetime.fromtimestamp((day + i) * 86_400 + 40_000, datetime.timezone.utc)
        lines.append(json.dumps({
            "type": "assistant", "sessionId": "s", "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "version": "2.1.0",
            "cwd": "/repo", "isSidechain": False, "uuid": f"u{i}", "parentUuid": None, "requestId": f"req_{i}",
            "message": {"id": f"msg_{i}", "type": "message", "role": "assistant", "model": "claude-opus-5-5", "usage": {
                "input_tokens": 1000, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 77}}},
            separators=(",", ":")))
    path = server.data / "transcript.jsonl"
    path.write_text("\n".join(lines) + "\n")
    server.cli("usage", "import", str(path))
    result = plan_json(server, "--despite-gap")
    check(result["usage"]["tokens"]["output"] == before["usage"]["tokens"]["output"] + 77,
          f"one of the two requests counts: {result['usage']['tokens']['output']}")
    check(any("Counted once, as part of the provider's report of the same model and day: 1 request of imported logs" in note for note in result["notes"]), f"{result['notes']}")
    check(any("they count twice" in note for note in result["notes"]), f"{result['notes']}")


def main():
    with freehold.Server(SCRIPT) as server:
        ask(server)
        local_rows(server)
        status, of_console = server.json("GET", "/admin/v1/plan")
        check(status == 200 and of_console["example"], "the console shows the example, too")
        server.stop()
        local_rows(server)
        day, on_first_day = move_rows(server.data)
        alone = passed_on(server)
        reported = with_report(server, alone, day, on_first_day)
        with_hours(server, reported, day)
        with_transcript(server, reported, day)
    print("the ledger is planned on as it must be" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
