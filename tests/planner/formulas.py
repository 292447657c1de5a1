#!/usr/bin/env python3
"""Recomputes the plan's workbook and holds it against the program, where ordinary inputs do not reach: no growth and
shrinking work, machines worth nothing or all of their price at the end, no interest, an empty bill, one day of usage, no
hybrid, no machine at all, failures with and without a spare.

usage: tests/planner/formulas.py [--binary build/freehold]

For each case every formula, evaluated anew from what is written in the workbook, must be the value that the program wrote
beside it. Then the case's values are written into the inputs of the example's workbook, where every formula must become
that of a workbook which the program makes of the same inputs. Exit code 0: all as it must be, 1: something was not.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from spreadsheet import Book

ROOT = pathlib.Path(__file__).resolve().parents[2]
CENT = 0.01
NO_HYBRID = {"hybrid_nodes_min": 0}
NO_MACHINE = {"own_nodes_min": 0, "hybrid_nodes_min": 0, "rent_nodes_min": 0}
NO_SPARE = {"own_spare_nodes": 0}
CASES = {
    "as planned": {},
    "no growth, no price path": {"load_growth_per_year": 0, "api_price_change_per_year": 0},
    "shrinking work": {"load_growth_per_year": -0.6, **NO_SPARE},
    "growth that asks for nodes": {"load_growth_per_year": 3},
    "worth nothing at the end": {"residual_share": 0},
    "worth all of its price at the end": {"residual_share": 1},
    "no interest": {"wacc": 0},
    "one month": {"horizon_months": 1},
    "five years of a longer life": {"horizon_months": 60, "depreciation_years": 7},
    "a bill of nothing": {"bill_list_usd_month": 0, **{f"{o}_moved_usd_month": 0 for o in ("own", "hybrid", "rent")}},
    "work of nothing": {f"{o}_{k}": 0 for o in ("own", "hybrid", "rent") for k in ("moved_usd_month", "moved_mtok_month")},
    "no hybrid": NO_HYBRID,
    "no machine": NO_MACHINE,
    "machines given away, a room built": {"hardware_price_factor": 0, "room_once_usd": 90_000, "room_usd_month": 700},
    "a commitment above the bill": {"commitment_usd_month": 90_000, "commitment_months": 17, "negotiated_discount": 0.3},
    "credits and seats": {"credits_usd": 333_000, "seats_usd_month": 1_200},
    "an announced change": {"scheduled_price_factor": 1.9, "scheduled_from_month": 7},
    "failures without a spare": {"node_failures_year": 12, "repair_hours": 200, "rented_repair_hours": 30,
                                 "outage_usd_hour": 75, **NO_SPARE},
    "failures all the time": {"node_failures_year": 1_000, "repair_hours": 8_760, **NO_SPARE},
    "not explained": {"unexplained_share": 0.2},
    "a dear API": {"api_price_factor": 8},
    "a very large bill": {"bill_list_usd_month": 30_000_000, "own_moved_mtok_month": 90_000_000},
}
# What is left out here the program learns from the usage, and the workbook computes.
LEARNT = {
    "part of the bill moves": {"own_moved_usd_month": 9_000, "hybrid_moved_usd_month": 4_000},
    "part of the tokens moves": {"own_moved_mtok_month": 5_000, "rent_moved_mtok_month": 700},
    "a larger bill than the usage gives": {"bill_list_usd_month": 400_000},
}
# The program refuses these; the workbook must not give advice on them.
CONTRADICTIONS = [{"horizon_months": 60}, {"horizon_months": 36.5}, {"idle_draw_share": 0.9},
                  {"own_moved_usd_month": 1_000_000}, {"rent_utilisation": 0}]
problems = []


def wrong(what):
    problems.append(what)
    print(f"wrong: {what}")


def same(found, wanted):
    if isinstance(wanted, str):
        return found == wanted
    return isinstance(found, (int, float)) and abs(found - wanted) <= CENT


def compare(book, found, wanted, what):
    bad = [at for at in wanted if not same(found[at], wanted[at])]
    for at in bad[:3]:
        wrong(f"{what}: {at}: {book.formulas.get(at)} is {found[at]!r}, the program says {wanted[at]!r}")
    return not bad


# A number that is wider than its column is shown as ###.
def fits_its_columns(book, what):
    for (sheet, (row, column)), value in book.cached.items():
        if sheet != "TCO" or not isinstance(value, float) or abs(value) < 1000:
            continue
        shown = f"{'-' if value < 0 else ''}${abs(value):,.0f}"
        if len(shown) > book.widths[(sheet, column)]:
            wrong(f"{what}: {shown} does not fit into {book.widths[(sheet, column)]} characters of column {column}")
            return


def toml(values, inputs):
    sections = {}
    for name, value in values.items():
        sections.setdefault(inputs[name]["section"], []).append(f"{inputs[name]['key']} = {value!r}")
    return "[plan]\ndraws = 100\n" + "".join(f"[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections.items())


class Program:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        text = (ROOT / "examples/sample/scenario.toml").read_text()
        self.rules = "\n" + text[text.index("[[workloads]]"):text.index("[api]")]
        self.number = 0

    def run(self, scenario, *source):
        self.number += 1
        book = self.folder / f"{self.number}.xlsx"
        written = self.folder / f"{self.number}.toml"
        written.write_text(scenario + self.rules)
        done = subprocess.run([self.binary, "plan", *(source or ("--example",)), "--inputs", str(written), "--xlsx",
                               str(book), "--json", "--data", str(self.folder / "data")], capture_output=True, text=True)
        if done.returncode != 0:
            wrong(f"freehold plan: {done.stderr}\n{scenario}")
            sys.exit(1)
        return json.loads(done.stdout), Book(book)


def cases(program):
    plan, _ = program.run("[plan]\ndraws = 100\n")
    inputs = {one["name"]: one for one in plan["inputs"]}
    ways = {one["option"]: one["available"] for one in plan["options"]}
    # The machines stay the same ones whatever is changed.
    machines = {name: one["value"] for name, one in inputs.items() if one["section"] in ("own", "hybrid", "rent")}
    _, changed = program.run(toml(machines, inputs))
    count = 0
    verdicts = set()
    for name, values in CASES.items():
        after, fresh = program.run(toml({**machines, **values}, inputs))
        count += len(fresh.formulas)
        compare(fresh, fresh.recomputed(), fresh.cached, name)
        fits_its_columns(fresh, name)
        verdicts.add(after["verdict"]["word"])
        changed.put_all_back()
        for key, value in values.items():
            changed.put(key, value)
        found = changed.recomputed()
        # A sentence more moves the head of the inputs, a way that is not there the tables of years.
        years = min(row for (sheet, (row, column)), text in changed.written.items()
                    if sheet == "Break-even" and column == 1 and str(text).startswith("By year"))
        fewer = any(one["available"] != ways[one["option"]] for one in after["options"])
        shared = {at: value for at, value in fresh.cached.items()
                  if at in found and changed.formulas[at] == fresh.formulas[at] and
                  not (fewer and at[0] == "Break-even" and at[1][0] >= years)}
        if len(shared) < 0.9 * len(fresh.cached):
            wrong(f"{name}: only {len(shared)} of {len(fresh.cached)} formulas stand in both workbooks")
        compare(changed, found, shared, f"{name}, written into the example's workbook")
    for values in CONTRADICTIONS:
        changed.put_all_back()
        for key, value in values.items():
            changed.put(key, value)
        if changed.named("verdict") != "check inputs" or not changed.named("contradiction"):
            wrong(f"{values}: the verdict is {changed.named('verdict')}")
    for name, values in LEARNT.items():
        _, fresh = program.run(toml(values, inputs))
        count += len(fresh.formulas)
        compare(fresh, fresh.recomputed(), fresh.cached, name)
    if len(verdicts) < 3:
        wrong(f"the cases end in {verdicts} only")
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build/freehold"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="freehold-formulas-") as name:
        program = Program(options.binary, pathlib.Path(name))
        count = cases(program)
    print(f"{len(CASES)} cases, {count} formulas recomputed, {len(problems)} wrong")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
