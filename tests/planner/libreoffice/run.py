#!/usr/bin/env python3
"""Recomputes workbooks with LibreOffice and holds them against what Freehold wrote.

usage: tests/planner/libreoffice/run.py [--binary build/freehold] [--scenarios 30] [--seed 1]

For each random scenario file: `freehold plan --example --inputs FILE --xlsx BOOK`; headless LibreOffice opens
the workbook, recomputes every formula, and each cell must show the cached value to one cent. Then one input
is changed in LibreOffice, and every formula must equal that of a workbook that Freehold writes with the same
input. Finally the first workbook's verdict must turn when the API price is raised until it does.
Needs the Debian packages libreoffice-calc and python3-uno (the interpreter is /usr/bin/python3).
"""
import argparse
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
      "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships"}
BANNED = re.compile(r"\b(NOW|TODAY|RAND|RANDBETWEEN|OFFSET|INDIRECT|CELL|INFO|FILTER|SORT|UNIQUE|SEQUENCE|LET|LAMBDA|"
                    r"XLOOKUP)\(")
# Inputs that a scenario varies: (section, key, low, high, whole number). Each in turn is the one that is changed in
# LibreOffice; none decides which machines are taken when those are pinned.
VARIED = [("bill", "negotiated_discount", 0, 0.4, False), ("bill", "credits_usd", 0, 90_000, False),
          ("bill", "commitment_usd_month", 0, 20_000, False), ("bill", "commitment_months", 0, 24, True),
          ("bill", "seats_usd_month", 0, 4_000, False), ("api", "load_growth_per_year", -0.3, 0.9, False),
          ("api", "api_price_change_per_year", -0.6, 0.3, False), ("api", "api_price_factor", 0.5, 6, False),
          ("api", "scheduled_price_factor", 0.5, 2, False), ("api", "scheduled_from_month", 0, 20, True),
          ("account", "horizon_months", 6, 48, True), ("account", "wacc", 0, 0.15, False),
          ("hardware", "hardware_price_factor", 0.3, 1.5, False), ("hardware", "capacity_factor", 0.6, 3, False),
          ("hardware", "utilisation_factor", 0.6, 1.5, False), ("hardware", "install_share", 0, 0.2, False),
          ("hardware", "software_usd_gpu_year", 0, 4_500, False), ("hardware", "residual_share", 0, 1, False),
          ("hardware", "node_failures_year", 0, 12, False), ("hardware", "repair_hours", 0, 300, False),
          ("hardware", "outage_usd_hour", 0, 200, False),
          ("site", "electricity_usd_kwh", 0.05, 0.3, False), ("site", "pue", 1.1, 2, False),
          ("site", "room_once_usd", 0, 60_000, False), ("site", "room_usd_month", 0, 3_000, False),
          ("staff", "staff_usd_year", 90_000, 400_000, False), ("staff", "fte_first_nodes", 0.1, 2, False),
          ("staff", "on_call_usd_month", 0, 5_000, False), ("move", "migration_usd", 0, 150_000, False),
          ("move", "double_running_months", 0, 4, True), ("move", "rent_price_factor", 0.4, 1.5, False)]
OPTION_KEYS = ["moved_usd_month", "moved_mtok_month", "node_mtok_month", "utilisation", "nodes_min", "spills", "spare_nodes",
               "gpus_per_node", "node_price_usd", "node_kw_max", "lead_months", "rent_usd_gpu_hour", "staff_factor"]


def fail(what):
    print(f"FAILED: {what}")
    sys.exit(1)


def cached(path):
    """{(sheet, cell): (formula, cached value)} of a workbook, and the defined names."""
    out = {}
    with zipfile.ZipFile(path) as book:
        if any(name.endswith((".bin", "vbaProject.bin")) for name in book.namelist()):
            fail(f"{path} holds macros")
        workbook = ET.fromstring(book.read("xl/workbook.xml"))
        names = {n.get("name"): n.text for n in workbook.findall("m:definedNames/m:definedName", NS)}
        for number, sheet in enumerate(workbook.findall("m:sheets/m:sheet", NS), 1):
            tree = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
            for cell in tree.iter("{%s}c" % NS["m"]):
                formula = cell.find("m:f", NS)
                if formula is None:
                    continue
                if BANNED.search(formula.text):
                    fail(f"{path} {sheet.get('name')}!{cell.get('r')}: {formula.text}")
                value = cell.find("m:v", NS)
                if value is None or (value.text is None and cell.get("t") != "str"):
                    fail(f"{path} {sheet.get('name')}!{cell.get('r')} has no cached value")
                text = value.text or ""
                out[(sheet.get("name"), cell.get("r"))] = text if cell.get("t") == "str" else float(text)
    return out, names


class Office:
    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen(
            ["soffice", "--headless", "--norestore", "--nologo", f"-env:UserInstallation=file://{folder}/profile",
             f"--accept=pipe,name=freehold{random.getrandbits(32)};urp;"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        import uno
        from com.sun.star.beans import PropertyValue
        self.property_value = PropertyValue
        pipe = next(a for a in self.process.args if a.startswith("--accept"))[len("--accept="):]
        resolver = uno.getComponentContext().ServiceManager.createInstance("com.sun.star.bridge.UnoUrlResolver")
        for _ in range(600):
            try:
                context = resolver.resolve(f"uno:{pipe}StarOffice.ComponentContext")
                break
            except Exception:  # not listening yet
                time.sleep(0.2)
        else:
            fail("LibreOffice did not start")
        self.desktop = context.ServiceManager.createInstance("com.sun.star.frame.Desktop")

    def open(self, path):
        hidden = self.property_value()
        hidden.Name, hidden.Value = "Hidden", True
        document = self.desktop.loadComponentFromURL(f"file://{path}", "_blank", 0, (hidden,))
        if document is None:
            fail(f"LibreOffice cannot open {path}")
        document.calculateAll()
        return document

    def close(self):
        try:
            self.desktop.terminate()
        except Exception:  # it drops the line as it goes
            pass
        self.process.wait(timeout=60)


def position(cell):
    letters, digits = re.match(r"([A-Z]+)(\d+)$", cell).groups()
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(digits) - 1, column - 1


def shown(document):
    """{sheet: rows of values}, one call a sheet: a call per cell would take minutes."""
    out = {}
    for sheet in document.Sheets:
        cursor = sheet.createCursor()
        cursor.gotoEndOfUsedArea(False)
        last = cursor.RangeAddress
        out[sheet.Name] = sheet.getCellRangeByPosition(0, 0, last.EndColumn, last.EndRow).getDataArray()
    return out


def compare(document, cells, what):
    worst = 0.0
    sheets = shown(document)
    for (sheet, cell), wanted in cells.items():
        row, column = position(cell)
        found = sheets[sheet][row][column]
        same = found == wanted if isinstance(wanted, str) else (
            isinstance(found, float) and abs(found - wanted) <= 0.01)
        if not same:
            where = document.Sheets.getByName(sheet).getCellRangeByName(cell)
            fail(f"{what}: {sheet}!{cell} is {found!r} in LibreOffice (error {where.getError()}) and {wanted!r} from "
                 f"Freehold: {where.Formula}")
        if not isinstance(wanted, str):
            worst = max(worst, abs(found - wanted))
    return worst


def scenario_text(values, pinned):
    sections = {}
    for section, key, value in values:
        sections.setdefault(section, []).append(f"{key} = {value}")
    for name, value in pinned.items():
        option, key = name.split("_", 1)
        sections.setdefault(option, []).append(f"{key} = {value}")
    return "[plan]\ndraws = 100\n" + "".join(f"[{s}]\n" + "\n".join(lines) + "\n" for s, lines in sections.items())


def plan(binary, scenario, book, example_rules):
    path = book.with_suffix(".toml")
    path.write_text(scenario + example_rules)
    done = subprocess.run([binary, "plan", "--example", "--inputs", str(path), "--xlsx", str(book), "--json", "--data",
                           str(book.parent / "data")], capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"freehold plan: {done.stdout}{done.stderr}\n{scenario}")
    import json
    return json.loads(done.stdout)


def rules_of_example():
    text = (ROOT / "examples/sample/scenario.toml").read_text()
    return "\n" + text[text.index("[[workloads]]"):text.index("[api]")]


def check(office, binary, folder, index, rng, rules):
    values = [(s, k, rng.randint(low, high) if whole else round(rng.uniform(low, high), 4))
              for s, k, low, high, whole in VARIED if rng.random() < 0.6]
    book = folder / f"book{index}.xlsx"
    result = plan(binary, scenario_text(values, {}), book, rules)
    cells, names = cached(book)
    document = office.open(book)
    worst = compare(document, cells, f"scenario {index}")
    # The same machines again, so that only the changed input differs.
    inputs = {i["name"]: i for i in result["inputs"]}
    pinned = {f"{o}_{k}": repr(inputs[f"{o}_{k}"]["value"]) for o in ("own", "hybrid", "rent") for k in OPTION_KEYS}
    section, key, low, high, whole = VARIED[index % len(VARIED)]
    value = rng.randint(low, high) if whole else round(rng.uniform(low, high), 4)
    changed = [v for v in values if v[1] != key] + [(section, key, value)]
    # Announced changes and the bill are learnt from the data and stay as they are in both.
    again = folder / f"again{index}.xlsx"
    after = plan(binary, scenario_text(changed, pinned), again, rules)
    sheet, cell = re.match(r"'?([^'!]+)'?!\$([A-Z]+\$\d+)", names[key]).groups()
    document.Sheets.getByName(sheet).getCellRangeByName(cell.replace("$", "")).Value = value
    document.calculateAll()
    fresh, _ = cached(again)
    shared = {k: v for k, v in fresh.items() if k in cells}
    if len(shared) < 0.95 * len(cells):
        fail(f"scenario {index}: the two workbooks share only {len(shared)} of {len(cells)} formulas")
    worst = max(worst, compare(document, shared, f"scenario {index} with {key} = {value}"))
    document.close(True)
    print(f"scenario {index}: {len(cells)} formulas, then {key} = {value}: {result['verdict']['word']} -> "
          f"{after['verdict']['word']}; largest difference ${worst:.1e}")
    return len(cells)


def verdict_turns(office, folder):
    book = folder / "book0.xlsx"
    _, names = cached(book)
    document = office.open(book)

    def cell(name):
        sheet, where = re.match(r"'?([^'!]+)'?!(\$[A-Z]+\$\d+)", names[name]).groups()
        return document.Sheets.getByName(sheet).getCellRangeByName(where.replace("$", ""))
    seen = set()
    for factor in (0.05, 0.5, 1, 2, 5, 20, 100):
        cell("api_price_factor").Value = factor
        document.calculateAll()
        seen.add(cell("verdict").String)
    cell("unexplained_share").Value = 0.5
    document.calculateAll()
    refused = cell("verdict").String
    document.close(True)
    if len(seen) < 2 or "stay" not in seen or refused != "no advice":
        fail(f"the verdict cell does not follow its inputs: {seen}, {refused}")
    print(f"the verdict cell follows the API price: {', '.join(sorted(seen))}; unexplained: {refused}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build/freehold"))
    parser.add_argument("--scenarios", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="freehold-office-") as name:
        folder = pathlib.Path(name)
        office = Office(folder)
        try:
            rules = rules_of_example()
            cells = sum(check(office, options.binary, folder, i, rng, rules) for i in range(options.scenarios))
            verdict_turns(office, folder)
        finally:
            office.close()
    print(f"{options.scenarios} workbooks, {cells} formulas: LibreOffice and Freehold agree to one cent")


if __name__ == "__main__":
    main()
