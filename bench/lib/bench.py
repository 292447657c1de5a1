"""What the benches share: building, finding the peers and the model, medians, tables, the last line.

Environment, all optional:
  FREEHOLD_BENCH_BUILD   a build folder (Release, FREEHOLD_BENCH=ON) to take as it is; nothing is built then
  FREEHOLD_BENCH_LLAMA   the folder that llama.cpp was built in, likewise
  FREEHOLD_BENCH_MODEL   a GGUF file instead of the starter model
  FREEHOLD_BENCH_DATA    the folder for data folders; it must lie on a real disk (default: the user's cache)
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = pathlib.Path(os.environ.get("FREEHOLD_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "freehold")
sys.path.insert(0, str(ROOT / "tests" / "lib"))


class Problem(Exception):
    """One plain sentence for the person at the terminal."""


def say(text):
    print(text, flush=True)


def run(command, timeout=1800, **options):
    """The command's standard output; Problem with its last words when it fails."""
    try:
        done = subprocess.run([str(word) for word in command], cwd=ROOT, text=True, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    except FileNotFoundError:
        raise Problem(f"{command[0]} is not there")
    except subprocess.TimeoutExpired:
        raise Problem(f"{pathlib.Path(command[0]).name} did not end within {timeout} s")
    if done.returncode != 0:
        last = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()][-3:]
        raise Problem(f"{pathlib.Path(command[0]).name} failed: " + " | ".join(last))
    return done.stdout


def build(*targets):
    """Builds the targets, Release; the build folder."""
    if own := os.environ.get("FREEHOLD_BENCH_BUILD"):
        return pathlib.Path(own)
    arguments = os.environ.get("FREEHOLD_CMAKE_ARGS", "") + " -DFREEHOLD_BENCH=ON"
    run(["scripts/build", "release", *targets], timeout=7200, env={**os.environ, "FREEHOLD_CMAKE_ARGS": arguments})
    return ROOT / "build"


def llama_tools(*names):
    """Paths of llama.cpp's own programs, of the very build that Freehold links; built if need be."""
    if own := os.environ.get("FREEHOLD_BENCH_LLAMA"):
        folder = pathlib.Path(own)
    else:
        run(["scripts/build_llama", "--tools"], timeout=7200)
        folder = pathlib.Path(run(["scripts/build_llama", "--path"]).strip())
    return [folder / "bin" / name for name in names]


def model_file():
    given = os.environ.get("FREEHOLD_BENCH_MODEL")
    return pathlib.Path(given or run(["/usr/bin/python3", "third_party/fetch", "smollm2-135m"]).strip().splitlines()[-1])


def cores():
    return len(os.sched_getaffinity(0))


def data_folder(name):
    """A temporary folder on a real disk."""
    base = pathlib.Path(os.environ.get("FREEHOLD_BENCH_DATA") or CACHE / "bench")
    base.mkdir(parents=True, exist_ok=True)
    if run(["stat", "-f", "-c", "%T", base]).strip() in ("tmpfs", "ramfs"):
        raise Problem(f"{base} is in memory; set FREEHOLD_BENCH_DATA to a folder on a disk")
    return tempfile.TemporaryDirectory(prefix=f"{name}-", dir=base)


def median(values):
    values = sorted(values)
    if not values:
        return math.nan
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def percentile(values, share):
    values = sorted(values)
    return values[round(share * (len(values) - 1))] if values else math.nan


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def cpu_seconds(pid):
    """Processor time of a process so far, from its threads, in nanoseconds where the kernel counts them; threads that
    have ended are not in it, and the processes measured here keep theirs."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as stream:
                total += int(stream.read().split()[0])
        return total / 1e9
    except FileNotFoundError:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stream:
            fields = stream.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as stream:
        for line in stream:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return math.nan


def fdatasync_ns(folder, count):
    """How long an appended page takes to reach the disk, `count` times."""
    took = []
    path = pathlib.Path(folder) / "fdatasync.probe"
    with open(path, "wb", buffering=0) as stream:
        page = os.urandom(4096)
        for _ in range(count):
            stream.write(page)
            start = time.monotonic_ns()
            os.fdatasync(stream.fileno())
            took.append(time.monotonic_ns() - start)
    path.unlink()
    return took


def table(headings, rows):
    cells = [headings] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    for number, row in enumerate(cells):
        first, rest = row[0].ljust(widths[0]), [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        say("  " + "  ".join([first, *rest]))
        if number == 0:
            say("  " + "  ".join("-" * width for width in widths))


def machine():
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    say(f"machine: {cores()} cores, {model}; load average {load}")


def verdict(name, figure, target, met):
    say(f"{name}: {figure} ({target}) {'met' if met else 'missed'}")
    return 0 if met else 1


def main(body):
    """Runs a bench; exit code 0: target met, 1: missed, 2: it could not be run."""
    try:
        return body()
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
