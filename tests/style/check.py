#!/usr/bin/env python3
"""Style as a test: what a reviewer would otherwise have to look for.

usage: tests/style/check.py [--fix-hints]

Checks the tracked and untracked (not ignored) sources under src/, tests/ and bench/:
  order      a folder includes only folders to its left; siblings do not include each other
  owners     a third-party header is included from its one folder only
  sizes      files at most 600 lines (tests 1,000), functions at most 70, lines at most 100 columns
  banned     symbols that have no place here, and where an exception is allowed
  headers    #pragma once; quoted includes resolve from src/
  folders    every folder of src/ has a README.md
  words      no machine paths or registry hosts in the tree
Exit 1 and one line per finding.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ORDER = [["base"], ["codec", "crypto"], ["obs"], ["domain"], ["pricing", "policy"], ["net", "dialects", "models", "auth"],
         ["registry", "engine", "upstream", "ledger", "audit", "importers"], ["planner", "evaluate", "gateway"],
         ["admin"], ["cli"]]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
OWNERS = [  # (header pattern, folders that may include it)
    (r"^boost/", ["src/net/"]),
    (r"^llhttp\.h$", ["src/net/"]),
    (r"^(llama|ggml|gguf|mtmd|common|chat|sampling|json-schema-to-grammar|peg-parser|nlohmann)", ["src/engine/llama/"]),
    (r"^sqlite3\.h$", ["src/ledger/store/sqlite/"]),
    (r"^openssl/|^sodium", ["src/crypto/", "src/net/tls"]),
    (r"^simdjson|^toml\+\+/|^zlib\.h$|^zstd\.h$|^xxhash\.h$", ["src/codec/"]),
    (r"^xlsxwriter", ["src/planner/workbook"]),
    (r"^seccomp\.h$|^linux/(seccomp|landlock|filter|audit)\.h$", ["src/base/os/"]),
    (r"^spdlog/", ["src/base/"]),
    (r"^prometheus/", ["src/obs/"]),
    (r"^CLI/", ["src/cli/"]),
]
BANNED = [  # (pattern, message, path prefixes where it is allowed)
    (r"\bsprintf\s*\(", "use fmt::format", []),
    (r"\bstrcpy\s*\(|\bstrcat\s*\(", "use std::string", []),
    (r"(?<![\w:.>])s?rand\s*\(", "use base::Random", []),
    (r"(?<![\w:.>])(system|popen)\s*\(", "only base::os::Spawner starts programs", []),
    (r"\bstd::regex\b", "std::regex recurses on hostile input", []),
    (r"\bexec[vl]p?e?\s*\(|\bfexecve\s*\(|\bposix_spawn", "only base::os::Spawner starts programs",
     ["src/base/os/", "tests/"]),
    (r"\bstd::j?thread\b(?!::)", "threads belong to base, net, engine, ledger, audit and obs",
     ["src/base/", "src/net/", "src/engine/", "src/ledger/", "src/audit/", "src/obs/", "tests/", "bench/"]),
    (r"(?<![\w.>])(new|delete)\s+[A-Za-z_:<]+[\w:<>, ]*\s*[({\[;]", "no naked new or delete", ["src/engine/llama/", "tests/"]),
    (r"\bTODO\b|\bFIXME\b|\bXXX\b", "finish it, or write it down in docs/LIMITS.md", []),
]
NO_DOUBLE = ["src/ledger/", "src/domain/money", "src/pricing/"]
FORBIDDEN_WORDS = [r"/work/(main|shared)", r"pypi\.org", r"registry\.npmjs", r"files\.pythonhosted"]


def files():
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                             check=True).stdout
    return [name for name in listing.split("\n") if name and (ROOT / name).is_file()]


def strip_comments(text):
    """Replaces comments and string contents by spaces, keeping line structure."""
    out = []
    i = 0
    while i < len(text):
        two = text[i:i + 2]
        if two == "//":
            end = text.find("\n", i)
            i = len(text) if end < 0 else end
        elif two == "/*":
            end = text.find("*/", i)
            end = len(text) if end < 0 else end + 2
            out.append("\n" * text.count("\n", i, end))
            i = end
        elif text[i] == "R" and two == 'R"':
            match = re.match(r'R"([^(\s]*)\(', text[i:])
            if not match:
                out.append(text[i])
                i += 1
                continue
            end = text.find(")" + match.group(1) + '"', i)
            end = len(text) if end < 0 else end + len(match.group(1)) + 2
            out.append('""' + "\n" * text.count("\n", i, end))
            i = end
        elif text[i] in "\"'":
            quote = text[i]
            if quote == "'" and i > 0 and text[i - 1].isalnum():  # digit separator
                out.append(text[i])
                i += 1
                continue
            j = i + 1
            while j < len(text) and text[j] != quote and text[j] != "\n":
                j += 2 if text[j] == "\\" else 1
            out.append(quote + quote)
            i = j + 1
        else:
            out.append(text[i])
            i += 1
    return "".join(out)


def function_lengths(code):
    """(first line, length, name) of each function body, by brace matching."""
    stack = []
    line = 1
    start_of_statement = 0
    for i, c in enumerate(code):
        if c == "\n":
            line += 1
        elif c == "{":
            head = " ".join(code[start_of_statement:i].split())
            kind = "block"
            if re.search(r"\b(namespace|class|struct|enum|union)\b[^()=]*$", head) or 'extern ""' in head:
                kind = "scope"
            elif re.search(r"\)\s*(const|noexcept|override|final|mutable|->[^{]*|:[^{]*|\s)*$", head) and not re.match(
                    r"^(if|for|while|switch|else|catch|do)\b", head):
                kind = "function"
            stack.append((kind, line, head))
            start_of_statement = i + 1
        elif c == "}":
            if stack:
                kind, began, head = stack.pop()
                inside = any(k == "function" for k, _, _ in stack)
                if kind == "function" and not inside:
                    yield began, line - began + 1, head[-60:]
            start_of_statement = i + 1
        elif c == ";":
            start_of_statement = i + 1


def check_source(name, text, report):
    code = strip_comments(text)
    lines = text.split("\n")
    is_test = name.startswith("tests/") or name.endswith("_test.cc") or "_test_" in name.rsplit("/", 1)[-1]
    limit = 1000 if is_test else 600
    if name.endswith("_test.cc"):
        lines = [line for line in lines if '"' not in line or len(line) <= 100]  # tables of cases
    if len(lines) - 1 > limit:
        report(name, len(lines) - 1, f"{len(lines) - 1} lines, at most {limit}")
    # A literal that cannot be broken may be longer; what is around it may not.
    code_lines = code.split("\n")
    for number, text_line in enumerate(lines, 1):
        rest = code_lines[number - 1] if number <= len(code_lines) and '"' in text_line else text_line
        inside_literal = number <= len(code_lines) and not code_lines[number - 1].strip() and "//" not in text_line
        if len(text_line) > 100 and len(rest) > 100 and not inside_literal:
            report(name, number, f"{len(text_line)} columns, at most 100")
    for began, length, head in function_lengths(code):
        if length > 70 and not is_test:
            report(name, began, f"function of {length} lines, at most 70: …{head}")
    if name.endswith(".h") and "#pragma once" not in text:
        report(name, 1, "a header without #pragma once")
    folder = name.split("/")[1] if name.startswith("src/") and name.count("/") > 1 else None
    for match in re.finditer(r'^\s*#\s*include\s+(["<])([^">]+)[">]', text, re.M):
        number = text.count("\n", 0, match.start()) + 1
        target = match.group(2)
        for pattern, owners in OWNERS:
            if re.match(pattern, target) and not (ROOT / "src" / target).exists():
                if not any(name.startswith(owner) for owner in owners):
                    report(name, number, f"<{target}> may be included from {' or '.join(owners)} only")
        other = target.split("/")[0]
        if match.group(1) == '"' and (ROOT / "src" / target).exists() and folder in RANK and other in RANK:
            if other != folder and RANK[other] >= RANK[folder]:
                report(name, number, f"{folder} may not include {other} (docs/ARCHITECTURE.md, order of inclusion)")
    for pattern, message, allowed in BANNED:
        if any(name.startswith(prefix) for prefix in allowed) or ("thread" in pattern and is_test):
            continue
        haystack = text if "TODO" in pattern else code
        for match in re.finditer(pattern, haystack):
            # make_unique cannot reach a private constructor.
            if match.group(0).startswith("new") and re.search(r"_ptr<[\w:, ]*>\s*\($", haystack[:match.start()]):
                continue
            report(name, haystack.count("\n", 0, match.start()) + 1, f"`{match.group(0).strip()}`: {message}")
    if any(name.startswith(prefix) for prefix in NO_DOUBLE) and not is_test:
        for match in re.finditer(r"\b(double|float)\b", code):
            report(name, code.count("\n", 0, match.start()) + 1, "money is never floating point")


def main():
    findings = []

    def report(name, line, message):
        findings.append(f"{name}:{line}: {message}")

    for name in files():
        path = ROOT / name
        if name.endswith((".cc", ".h")) and name.split("/")[0] in ("src", "tests", "bench"):
            check_source(name, path.read_text(encoding="utf-8"), report)
        if name != "tests/style/check.py" and not name.endswith("package-lock.json") and path.stat().st_size < 2_000_000:
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            for pattern in FORBIDDEN_WORDS:
                for match in re.finditer(pattern, text):
                    report(name, text.count("\n", 0, match.start()) + 1, f"`{match.group(0)}` has no place in the project")
    for folder in sorted(path for path in (ROOT / "src").iterdir() if path.is_dir()):
        if any(folder.iterdir()) and not (folder / "README.md").exists():
            report(f"src/{folder.name}", 0, "a folder without README.md")
    for finding in sorted(findings):
        print(finding)
    print(f"style: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
