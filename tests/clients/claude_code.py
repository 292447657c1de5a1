#!/usr/bin/env python3
"""Claude Code, the npm package at the pinned version, against a Freehold under test.

usage: tests/clients/claude_code.py                               scripted: one tool call there and back
       tests/clients/claude_code.py --model coder [--runs 10]     a real coder model reads, edits and runs a small file, asked
                                                                  for one after the other; prints the rate
                                    [--model-file FILE.gguf]

The client sees an empty environment but what is listed in `environment_of`, a fresh home and a fresh working folder; it
knows no other server than the one under test, with that server's key. Exit code as in run.py.
"""

import argparse
import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import uuid

import setup_clients

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import freehold  # noqa: E402

SCRIPTED_SECONDS = 180
CODER_SECONDS = 900
RECOMPUTED_MAX = 512  # tokens of a prompt beyond what is new in it; the prompt is over 11,000 long
CODER_OUTPUT_TOKENS = 2048  # of one answer: a small model that has lost its thread would go on to the client's 32,000

SCRIPT = """
set context_tokens 200000

on tool_result "{secret}"
  text "The notes say: {secret}."

on tool_result
  text "The file could not be read."

on tool "Read" and user "What do the notes say"
  text "I will read the notes."
  tool Read {{"file_path": "{folder}/notes.txt"}}

on any
  text "A side question that this test does not expect."
"""


def client_program():
    modules = setup_clients.node_modules(HERE / "claude-code") / "node_modules" / "@anthropic-ai"
    # The package of this platform holds the program itself; the wrapper beside it would only look for it.
    found = [path / "claude" for path in modules.iterdir() if (path / "claude").is_file()]
    if len(found) != 1:
        raise setup_clients.Problem("the Claude Code package holds no program for this machine")
    return found[0]


def environment_of(server, home, model):
    return {
        "PATH": f"{setup_clients.node_folder()}:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "ANTHROPIC_BASE_URL": server.base,
        "ANTHROPIC_API_KEY": server.key,
        "ANTHROPIC_MODEL": model,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": model,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": model,
        "CLAUDE_CODE_SUBAGENT_MODEL": model,
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_BUG_COMMAND": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_FEEDBACK_SURVEY": "1",
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        "CLAUDE_CODE_DISABLE_TERMINAL_TITLE": "1",
        "CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS": "1",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(CODER_OUTPUT_TOKENS),
    }


def empty(folder):
    for left in pathlib.Path(folder).iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def ask(server, model, folder, home, prompt, tools, seconds, goes_on=False):
    """Runs the client once in `folder`: (exit code, its JSON result or None, all it printed). Its home is emptied
    before, unless it goes on with the conversation that is in it.
    """
    if not goes_on:
        empty(home)
    command = [str(client_program()), "-p", prompt, "--output-format", "json", "--allowedTools", *tools]
    command += ["--continue"] if goes_on else []
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment_of(server, home, model),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return 124, None, f"no end after {seconds} s"
    try:
        result = json.loads(done.stdout)
    except ValueError:
        result = None
    return done.returncode, result, done.stdout + done.stderr


def rows_of(server):
    _, answer = server.json("GET", "/admin/v1/requests?limit=1000")
    return answer["rows"][::-1]


def scripted():
    secret = f"heron-{uuid.uuid4().hex[:12]}"
    problems = []
    with (
        tempfile.TemporaryDirectory(prefix="freehold-claude-work-") as folder,
        tempfile.TemporaryDirectory(prefix="freehold-claude-home-") as home,
    ):
        (pathlib.Path(folder) / "notes.txt").write_text(f"The password of the day is {secret}.\n")
        with freehold.Server(script=SCRIPT.format(secret=secret, folder=folder)) as server:
            code, result, output = ask(
                server, "scripted", folder, home, "What do the notes say in notes.txt?", ["Read"], SCRIPTED_SECONDS
            )
            rows = rows_of(server)
    if code != 0:
        problems.append(f"the client ended with {code}")
    if result is None or result.get("is_error") or result.get("result") != f"The notes say: {secret}.":
        problems.append("the client's last words are not those of the second answer")
    if len(rows) != 2:
        problems.append(f"{len(rows)} requests are in the ledger, expected are 2")
    for row in rows:
        if (row["state"], row["dialect"], row["model_served"], row["http_status"]) != (
            "settled",
            "anthropic",
            "scripted",
            200,
        ):
            problems.append(
                f"an unexpected row: {row['state']} {row['dialect']} {row['model_served']} {row['http_status']}"
            )
    if len(rows) == 2 and not problems:
        first, second = (row["usage"] for row in rows)
        prompt = second["input_uncached"] + second["cache_read"] + second["cache_write"]
        share = second["cache_read"] / prompt
        if [row["end_reason"] for row in rows] != ["tool", "complete"]:
            problems.append(f"the answers ended with {[row['end_reason'] for row in rows]}")
        if share < 0.9:
            problems.append(f"only {share:.0%} of the second turn's prompt ({prompt} tokens) came from the cache")
        if result.get("usage", {}).get("cache_read_input_tokens") != first["cache_read"] + second["cache_read"]:
            problems.append("the client counted other cached tokens than the ledger")
        print(f"Claude Code: 2 requests, second prompt {prompt} tokens, {share:.1%} from the cache")
    for problem in problems:
        print(f"Claude Code FAILED: {problem}")
    if problems:
        print(output[-3000:])
        for row in rows:
            print(
                json.dumps(
                    {
                        name: row.get(name)
                        for name in (
                            "request_id",
                            "state",
                            "end_reason",
                            "http_status",
                            "prompt_tokens",
                            "usage",
                            "error_code",
                        )
                    }
                )
            )
    return 1 if problems else 0


# One step after the other, in one conversation: a model of this size, asked for all at once, describes what it would do.
STEPS = (
    "Read the file greet.py with the Read tool.",
    "Use the Edit tool on greet.py: replace world by Freehold.",
    "Use the Bash tool to run: python3 greet.py. What did it print?",
)
TOOLS = ("Read", "Edit", "Bash(python3 greet.py)")


def ran(home):
    """Whether the file ran as it should be: the client's own record of the session has its output as a tool's result.
    The words of the model do not count: it may say what it imagines.
    """
    for record in pathlib.Path(home).glob(".claude/projects/*/*.jsonl"):
        for line in record.read_text().splitlines():
            result = json.loads(line).get("toolUseResult")
            if isinstance(result, dict) and "Hello, Freehold!" in result.get("stdout", ""):
                return True
    return False


def recomputed(rows):
    """Of a server's requests in order those that computed again what the one before had left in the cache."""
    settled = [row for row in rows if row["state"] == "settled" and row.get("work")]
    return [
        row["request_id"]
        for last, row in zip(settled, settled[1:])
        if row["work"]["computed"] > max(0, row["prompt_tokens"] - last["prompt_tokens"]) + RECOMPUTED_MAX
    ]


def print_turns(rows):
    """A line for each request of a run: what of the prompt had to be computed, and how the answer ended."""
    for row in rows:
        work, usage = row.get("work") or {}, row.get("usage") or {}
        print(
            f"  prompt {row['prompt_tokens']}, computed {work.get('computed')}, output {usage.get('output')}, "
            f"{row.get('end_reason') or row['state']}"
        )


def coder(model_file, runs):
    good = 0
    config = "[engine]\ncontext_tokens = 32768\n[limits]\nrequest_seconds = 900\n"
    with contextlib.ExitStack() as exit_stack:
        server = exit_stack.enter_context(freehold.Server(config=config, models=[model_file], wait=False))
        server.wait_ready(300)
        _, models = server.json("GET", "/v1/models")
        model = models["data"][0]["id"]
        # One folder and one home for all runs, as a user has: their names are in the client's system prompt, which
        # then stays in the cache.
        folder = exit_stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-claude-work-"))
        home = exit_stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-claude-home-"))
        for number in range(1, runs + 1):
            began = time.monotonic()
            before = len(rows_of(server))
            empty(folder)
            target = pathlib.Path(folder) / "greet.py"
            target.write_text('print("Hello, world!")\n')
            for step, prompt in enumerate(STEPS):
                code, result, output = ask(server, model, folder, home, prompt, TOOLS, CODER_SECONDS, step > 0)
                if code != 0:
                    break
            edited = target.exists() and "Hello, Freehold!" in target.read_text()
            told = result is not None and "Hello, Freehold!" in (result.get("result") or "")
            good += code == 0 and edited and ran(home)
            print(
                f"run {number}: exit {code}, edited {'yes' if edited else 'no'}, ran {'yes' if ran(home) else 'no'}, "
                f"told {'yes' if told else 'no'}, "
                f"{len(rows_of(server)) - before} requests, {time.monotonic() - began:.0f} s",
                flush=True,
            )
            print_turns(rows_of(server)[before:])
            print(f"  last words: {(result.get('result') or '')[:300]!r}" if result else output[-1000:], flush=True)
        again = recomputed(rows_of(server))
    print(f"Claude Code with {model}: {good} of {runs} runs read, edited and ran the file")
    for request in again:
        print(f"Claude Code FAILED: {request} computed more of its prompt than was new")
    return 1 if again else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=("scripted", "coder"), default="scripted")
    parser.add_argument("--model-file", type=pathlib.Path, help="instead of the pinned coder model")
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    try:
        if options.model == "scripted":
            return scripted()
        return coder(options.model_file or setup_clients.fetched("qwen2.5-coder-1.5b"), options.runs)
    except (setup_clients.Problem, RuntimeError, OSError, subprocess.SubprocessError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
