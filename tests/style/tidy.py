#!/usr/bin/env python3
"""Runs clang-tidy-19 over src/, two at a time, and remembers clean files by a hash of all they are made of.

The hash covers the file, every header of ours that it includes (directly or not), the checks and the tool's version.
"""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STAMPS = pathlib.Path(os.environ.get("FREEHOLD_CACHE", ROOT / "build")) / "tidy"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def closure(path, known):
    """The file and all headers of ours that it reaches."""
    todo, seen = [path], set()
    while todo:
        each = todo.pop()
        if each in seen:
            continue
        seen.add(each)
        if each not in known:
            text = each.read_text(encoding="utf-8")
            known[each] = (text, [ROOT / "src" / name for name in INCLUDE.findall(text) if (ROOT / "src" / name).exists()])
        todo += known[each][1]
    return sorted(seen)


def main():
    tool = subprocess.run(["clang-tidy-19", "--version"], capture_output=True, text=True, check=True).stdout
    config = (ROOT / ".clang-tidy").read_text(encoding="utf-8")
    STAMPS.mkdir(parents=True, exist_ok=True)
    known, work = {}, []
    for path in sorted((ROOT / "src").rglob("*.cc")):
        if path.name.endswith(("_test.cc", "_fuzz.cc")):
            continue
        digest = hashlib.sha256((tool + config).encode())
        for each in closure(path, known):
            digest.update(known[each][0].encode())
        stamp = STAMPS / digest.hexdigest()
        if not stamp.exists():
            work.append((path, stamp))

    def tidy(item):
        path, stamp = item
        done = subprocess.run(["clang-tidy-19", "--quiet", "-p", str(ROOT / "build"), str(path)], capture_output=True,
                              text=True)
        if done.returncode == 0:
            stamp.touch()
        return path, done

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for count, (path, done) in enumerate(pool.map(tidy, work), 1):
            if done.returncode != 0:
                failed += 1
                print(done.stdout)
            if count % 20 == 0:
                print(f"tidy: {count} of {len(work)}", flush=True)
    print(f"tidy: {len(work)} files looked at, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
