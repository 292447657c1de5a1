#!/usr/bin/env python3
"""Compares the load generator's journal with the ledger file, row by row.

usage: compare.py JOURNAL LEDGER.DB

Rules: no admission without settlement; one row per request; every request that was answered with 200 has a row; where
the client received the whole answer, the row has the same prompt and output tokens and says that it ended well; no
more rows than requests begun. Exit 1 and one line per violation.
"""
import json
import sqlite3
import sys

GOOD_ENDS = {"complete", "stop", "length", "tool", "context_full"}


def main(journal_path, ledger_path):
    begun, answered, whole = set(), {}, {}
    with open(journal_path, encoding="utf-8") as stream:
        for line in stream:
            try:
                record = json.loads(line)
            except ValueError:
                continue  # the last line of a killed writer
            if record.get("begin"):
                begun.add(record["n"])
            if record.get("status") == 200:
                answered[record["request_id"]] = record["n"]
            if record.get("end") == "whole":
                whole[record["request_id"]] = record
    ledger = sqlite3.connect(f"file:{ledger_path}?mode=ro", uri=True)
    rows = {}
    problems = []
    for row in ledger.execute(
            "SELECT a.request_id, a.prompt_tokens, s.sequence IS NOT NULL, s.end_reason, s.output, "
            "s.input_uncached + s.cache_read + s.cache_write_5m + s.cache_write_30m + s.cache_write_1h, s.http_status "
            "FROM admissions a LEFT JOIN settlements s ON s.sequence = a.sequence"):
        request_id = row[0]
        if request_id in rows:
            problems.append(f"{request_id}: two rows")
        rows[request_id] = row
        if not row[2]:
            problems.append(f"{request_id}: admitted and never settled")
    for request_id, number in answered.items():
        if request_id not in rows:
            problems.append(f"{request_id} (request {number}): answered with 200, no row")
    for request_id, record in whole.items():
        row = rows.get(request_id)
        if row is None or not row[2]:
            continue
        if row[3] not in GOOD_ENDS:
            problems.append(f"{request_id}: the client has the whole answer, the row says {row[3]}")
        elif (row[5], row[4]) != (record["prompt"], record["output"]):
            problems.append(f"{request_id}: told {record['prompt']} + {record['output']} tokens, booked {row[5]} + {row[4]}")
    if len(rows) > len(begun):
        problems.append(f"{len(rows)} rows for {len(begun)} requests")
    crashed = sum(1 for row in rows.values() if row[3] == "crash")
    for problem in problems:
        print(problem)
    print(f"compare: {len(begun)} requests, {len(answered)} answered, {len(whole)} whole, {len(rows)} rows, "
          f"{crashed} settled as crash, {len(problems)} violations")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__)
        sys.exit(2)
    sys.exit(main(sys.argv[1], sys.argv[2]))
