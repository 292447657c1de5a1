"""Enough of a spreadsheet program to recompute the plan's workbook: reads the file's XML, evaluates every formula from
the values that were written, knows only the functions that the workbook may use and refuses every other one."""

import functools
import math
import re
import sys
import xml.etree.ElementTree as ET
import zipfile
from decimal import ROUND_HALF_UP, Decimal

NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
TOKEN = re.compile(r"""\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?)|(?P<text>"[^"]*")
    |(?P<ref>(?:(?:'[^']+'|[A-Za-z][\w.]*)!)?\$?[A-Z]{1,3}\$?\d+(?![\w(])(?::\$?[A-Z]{1,3}\$?\d+)?)
    |(?P<name>[A-Za-z_][\w.]*)|(?P<mark><>|<=|>=|[-+*/=<>(),&]))""", re.X)
COMPARE = {"=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b, ">": lambda a, b: a > b,
           "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b}


def column_number(letters):
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def key_of(cell):
    letters, digits = re.match(r"([A-Z]+)(\d+)$", cell.replace("$", "")).groups()
    return int(digits), column_number(letters)


def flat(arguments):
    for one in arguments:
        if isinstance(one, list):
            yield from (value for row in one for value in row)
        else:
            yield one


def numbers(arguments):
    return [value for value in flat(arguments) if isinstance(value, (int, float)) and not isinstance(value, bool)]


def rounded(value, digits, away):
    """ROUND goes to the nearest, ROUNDUP away from zero, ROUNDDOWN towards it; on 15 digits, as spreadsheets do."""
    number = Decimal(f"{value:.15g}")
    step = Decimal(1).scaleb(-int(digits))
    return float((number / step).quantize(Decimal(1), rounding=away) * step)


def fits(value, wish):
    if isinstance(wish, str):
        mark, rest = re.match(r"(<>|<=|>=|<|>|=)?(.*)$", wish).groups()
        try:
            return isinstance(value, (int, float)) and COMPARE[mark or "="](value, float(rest))
        except ValueError:
            return COMPARE[mark or "="](value, rest)
    return value == wish


def sum_where(total, *pairs):
    values = list(flat([total]))
    for place, wish in zip(pairs[::2], pairs[1::2]):
        values = [value if fits(at, wish) else 0 for value, at in zip(values, flat([place]), strict=True)]
    return math.fsum(numbers(values))


def match(wish, place, kind):
    if kind != 0:
        raise ValueError("only exact MATCH is known")
    return list(flat([place])).index(wish) + 1


def product_sum(*places):
    columns = [[value if isinstance(value, (int, float)) else 0 for value in flat([place])] for place in places]
    return math.fsum(math.prod(values) for values in zip(*columns, strict=True))


FUNCTIONS = {
    "ABS": abs,
    "AND": lambda *a: all(flat(a)),
    "OR": lambda *a: any(flat(a)),
    "INT": math.floor,
    "INDEX": lambda place, row, column: place[int(row) - 1][int(column) - 1],
    "MATCH": match,
    "MAX": lambda *a: max(numbers(a), default=0),
    "MIN": lambda *a: min(numbers(a), default=0),
    "POWER": lambda a, b: a ** b,
    "ROUND": lambda x, n: rounded(x, n, ROUND_HALF_UP),
    "ROUNDUP": lambda x, n: rounded(x, n, "ROUND_UP"),
    "ROUNDDOWN": lambda x, n: rounded(x, n, "ROUND_DOWN"),
    "SUM": lambda *a: math.fsum(numbers(a)),
    "SUMIF": lambda place, wish, total: sum_where(total, place, wish),
    "SUMIFS": sum_where,
    "SUMPRODUCT": product_sum,
}


class Parser:
    """One formula to a function of the book; by precedence: comparison, &, sum, product, sign."""

    def __init__(self, text, sheet):
        self.sheet = sheet
        self.tokens = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise ValueError(f"not understood: {text[at:]}")
            self.tokens.append((found.lastgroup, found.group(found.lastgroup)))
            at = found.end()
        self.at = 0

    def take(self, *marks):
        if self.at < len(self.tokens) and self.tokens[self.at] in [("mark", mark) for mark in marks]:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def whole(self):
        out = self.comparison()
        if self.at != len(self.tokens):
            raise ValueError(f"left over: {self.tokens[self.at:]}")
        return out

    def comparison(self):
        left = self.joined()
        while mark := self.take("=", "<>", "<", ">", "<=", ">="):
            left = (lambda l, r, f: lambda book: f(l(book), r(book)))(left, self.joined(), COMPARE[mark])
        return left

    def joined(self):
        left = self.sum()
        while self.take("&"):
            left = (lambda l, r: lambda book: str(l(book)) + str(r(book)))(left, self.sum())
        return left

    def sum(self):
        left = self.product()
        while mark := self.take("+", "-"):
            sign = 1 if mark == "+" else -1
            left = (lambda l, r, s: lambda book: l(book) + s * r(book))(left, self.product(), sign)
        return left

    def product(self):
        left = self.signed()
        while mark := self.take("*", "/"):
            right = self.signed()
            if mark == "*":
                left = (lambda l, r: lambda book: l(book) * r(book))(left, right)
            else:
                left = (lambda l, r: lambda book: l(book) / r(book))(left, right)
        return left

    def signed(self):
        if self.take("-"):
            return (lambda inner: lambda book: -inner(book))(self.signed())
        return self.operand()

    def operand(self):
        if self.take("("):
            inner = self.comparison()
            if not self.take(")"):
                raise ValueError("a bracket is open")
            return inner
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return lambda book: float(text)
        if kind == "text":
            return lambda book: text[1:-1]
        if kind == "ref":
            return self.reference(text)
        if kind == "name":
            return self.call(text) if self.take("(") else lambda book: book.named(text)
        raise ValueError(f"unexpected {text}")

    def reference(self, text):
        sheet, _, cells = text.rpartition("!")
        sheet = sheet.strip("'") or self.sheet
        first, _, last = cells.partition(":")
        if not last:
            return lambda book: book.value(sheet, key_of(first))
        return lambda book: book.area(sheet, key_of(first), key_of(last))

    def call(self, name):
        arguments = []
        while not self.take(")"):
            arguments.append(self.comparison())
            self.take(",")
        if name == "IF":
            condition, then, other = arguments
            return lambda book: then(book) if condition(book) else other(book)
        function = FUNCTIONS[name]  # any other is none that the workbook may use
        return lambda book: function(*(argument(book) for argument in arguments))


@functools.cache
def parsed(text, sheet):
    return Parser(text, sheet).whole()


class Book:
    def __init__(self, path):
        self.written, self.formulas, self.cached, self.names = {}, {}, {}, {}
        self.widths = {}  # in characters, by sheet and column
        with zipfile.ZipFile(path) as book:
            strings = ["".join(t.text or "" for t in item.iter("{%s}t" % NS["m"]))
                       for item in ET.fromstring(book.read("xl/sharedStrings.xml")).findall("m:si", NS)]
            workbook = ET.fromstring(book.read("xl/workbook.xml"))
            for name in workbook.findall("m:definedNames/m:definedName", NS):
                self.names[name.get("name")] = name.text
            for number, sheet in enumerate(workbook.findall("m:sheets/m:sheet", NS), 1):
                tree = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
                for column in tree.iter("{%s}col" % NS["m"]):
                    for at in range(int(column.get("min")), int(column.get("max")) + 1):
                        self.widths[(sheet.get("name"), at)] = float(column.get("width"))
                for cell in tree.iter("{%s}c" % NS["m"]):
                    self.read(sheet.get("name"), cell, strings)
        self.known, self.over = {}, {}

    def read(self, sheet, cell, strings):
        value = cell.find("m:v", NS)
        if value is None:
            return
        kind = cell.get("t")
        content = strings[int(value.text)] if kind == "s" else value.text or "" if kind == "str" else float(value.text)
        at = (sheet, key_of(cell.get("r")))
        formula = cell.find("m:f", NS)
        if formula is None:
            self.written[at] = content
        else:
            self.formulas[at] = formula.text
            self.cached[at] = content

    def place(self, name):
        sheet, _, cells = self.names[name].rpartition("!")
        return sheet.strip("'"), cells.replace("$", "")

    def named(self, name):
        sheet, cells = self.place(name)
        first, _, last = cells.partition(":")
        return self.area(sheet, key_of(first), key_of(last)) if last else self.value(sheet, key_of(first))

    def put(self, name, value):
        """Writes over an input, also where a formula stands."""
        sheet, cell = self.place(name)
        self.over[(sheet, key_of(cell))] = float(value)
        self.known = {}

    def put_all_back(self):
        self.known, self.over = {}, {}

    def value(self, sheet, key):
        at = (sheet, key)
        if at in self.over:
            return self.over[at]
        if at in self.written:
            return self.written[at]
        if at not in self.formulas:
            return 0.0  # an empty cell
        if at not in self.known:
            self.known[at] = None
            self.known[at] = parsed(self.formulas[at], sheet)(self)
        if self.known[at] is None:
            raise ValueError(f"{at} hangs on itself: {self.formulas[at]}")
        return self.known[at]

    def area(self, sheet, first, last):
        return [[self.value(sheet, (row, column)) for column in range(first[1], last[1] + 1)]
                for row in range(first[0], last[0] + 1)]

    def recomputed(self):
        """{(sheet, (row, column)): value} of every formula."""
        sys.setrecursionlimit(20_000)
        return {at: self.value(*at) for at in self.formulas if at not in self.over}
