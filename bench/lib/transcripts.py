"""A folder of coding-tool transcripts as one finds them, with the totals that a reader must give, and what readers with
known faults would give in its place."""
import json
import random

MODELS = ("claude-opus-4-8", "claude-sonnet-4-6", "claude-haiku-4-5-20251001")


class Line:
    """What of one line of an answer counts; counts: input, written for 5 minutes and for an hour, read, output."""

    def __init__(self, message, request, sidechain, counts, model):
        self.message, self.request, self.sidechain, self.counts, self.model = message, request, sidechain, counts, model


def spread(chance, limit):
    return int(limit * chance.random() ** 3)


def json_line(line, session, number, text, content):
    usage = dict(zip(("input_tokens", "output_tokens", "cache_read_input_tokens"),
                     (line.counts[0], line.counts[4], line.counts[3])))
    usage["cache_creation_input_tokens"] = line.counts[1] + line.counts[2]
    usage["cache_creation"] = {"ephemeral_5m_input_tokens": line.counts[1], "ephemeral_1h_input_tokens": line.counts[2]}
    usage["service_tier"] = "standard"
    record = {"parentUuid": f"u{number - 1}", "isSidechain": line.sidechain, "userType": "external", "cwd": "/home/dev/shop",
              "sessionId": session, "version": "2.1.157", "type": "assistant", "uuid": f"u{number}",
              "timestamp": f"2026-06-{1 + number // 5000 % 28:02}T{number // 210 % 24:02}:{number // 4 % 60:02}:"
                           f"{number % 60:02}.420Z",
              "message": {"id": line.message, "type": "message", "role": "assistant", "model": line.model,
                          "content": [{"type": content, content: text}], "stop_reason": None, "usage": usage}}
    if line.request:
        record["requestId"] = line.request
    return json.dumps(record, separators=(",", ":")) + "\n"


def user_line(session, number, text):
    return json.dumps({"parentUuid": f"u{number - 1}", "isSidechain": False, "type": "user", "sessionId": session,
                       "uuid": f"u{number}", "timestamp": "2026-06-01T00:00:00.000Z", "cwd": "/home/dev/shop",
                       "message": {"role": "user", "content": [{"type": "tool_result", "content": text}]}},
                      separators=(",", ":")) + "\n"


class Tree:
    """Writes sessions until `megabytes`; .files is a list of lists of the Lines that count, in the order of reading.

    What is in it: an answer's usage once per content block, with the output still growing in the first of them; a session
    that was resumed, its file beginning with the old one's lines; side conversations whose files repeat answers of the
    main one under new request ids; a gateway that writes no request ids; cache writes of both lifetimes.
    """

    def __init__(self, folder, megabytes):
        self.folder, self.chance, self.number, self.files, self.bytes = folder, random.Random(11), 0, [], 0
        self.text = "".join(self.chance.choice("abcdefgh ijklmno pqrs(){}\"\\") for _ in range(60_000))
        session = 0
        while self.bytes < megabytes * 1_000_000:
            session += 1
            self.session(session)

    def body(self, limit):
        begin = self.chance.randrange(8_000)
        return self.text[begin:begin + 200 + spread(self.chance, limit)]

    def answer(self, session, sidechain, with_request):
        """The raw lines of one answer, and its Lines."""
        self.number += 1
        model = MODELS[self.number % len(MODELS)]
        counts = [1 + spread(self.chance, 3_000), 0, 0, spread(self.chance, 200_000), 1 + spread(self.chance, 4_000)]
        counts[1 if self.number % 3 else 2] = spread(self.chance, 9_000)
        message, request = f"msg_{self.number:08x}", f"req_{self.number:08x}" if with_request else None
        raw, lines = [], []
        blocks = 1 + self.number % 4
        for block in range(blocks):
            shown = list(counts)
            if block + 1 < blocks and self.number % 2:
                shown[4] = 1 + counts[4] * block // blocks
            line = Line(message, request, sidechain, shown, model)
            lines.append(line)
            raw.append(json_line(line, session, self.number, self.body(6_000), ("thinking", "text")[block % 2]))
        return raw, lines

    def write(self, path, raw, lines):
        path.parent.mkdir(parents=True, exist_ok=True)
        data = "".join(raw)
        path.write_text(data, encoding="utf-8")
        self.bytes += len(data)
        self.files.append((path, lines))

    def session(self, session):
        chance, name = self.chance, f"{session:08x}-aaaa-4bbb-8ccc-dddddddddddd"
        project = self.folder / "projects" / f"-home-dev-shop-{session % 7}"
        raw, lines, last = [], [], None
        for _ in range(4 + spread(chance, 120)):
            raw.append(user_line(name, self.number, self.body(40_000)))
            more, last = self.answer(name, False, session % 5 != 0)
            raw += more
            lines += last
        self.write(project / f"{name}.jsonl", raw, lines)
        if session % 4 == 0:  # resumed: the old lines, then new ones
            more, own = self.answer(name, False, True)
            self.write(project / f"{name[:-1]}r.jsonl", raw + more, lines + own)
        if session % 3 == 0:  # a side conversation: the parent's last answer, then its own
            replay = [Line(line.message, f"{line.request or 'none'}-side", True, line.counts, line.model) for line in last]
            side = [json_line(line, name, self.number, "again", "text") for line in replay]
            more, own = self.answer(name, True, True)
            self.write(project / name / "subagents" / f"agent-{session:x}.jsonl", side + more, replay + own)

    def totals(self, keep="largest", side=True, across=True, key_without_request=True):
        """Input, cache write, cache read and output of the lines that a reader with these habits counts. The defaults
        are right."""
        best, order = {}, []
        for file, (_, lines) in enumerate(self.files):
            for line in lines:
                where = None if across else file
                # In this tree a message id is one answer, whichever request ids its repetitions bear.
                key = (where, line.message, None if side else line.request)
                if not line.request and not key_without_request:
                    key = (where, line.message, len(order))
                known = best.get(key)
                if known is None:
                    best[key] = line
                    order.append(key)
                elif keep == "largest" and (known.sidechain, -sum(known.counts)) > (line.sidechain, -sum(line.counts)):
                    best[key] = line
                elif keep == "last":
                    best[key] = line
                elif keep == "all":
                    order.append((key, len(order)))
                    best[order[-1]] = line
        sums = [sum(line.counts[i] for line in best.values()) for i in range(5)]
        return [sums[0], sums[1] + sums[2], *sums[3:]]


# Name of a fault, and the habits that make it.
FAULTS = {
    "the first line of an answer is kept, while its output was still growing": {"keep": "first"},
    "the last line of an answer is kept, whichever it is": {"keep": "last"},
    "every line of an answer is counted": {"keep": "all"},
    "side conversations' repetitions are counted again": {"side": False},
    "lines without a request id are counted each": {"side": False, "key_without_request": False},
    "each file is counted by itself, so that a resumed session counts twice": {"across": False},
    "each file by itself, and the first line of an answer": {"across": False, "keep": "first"},
    "side conversations' repetitions again, and the first line of an answer": {"side": False, "keep": "first"},
}


def explain(tree, found):
    """Why a reader may have come to `found`: '' when it is right, a fault that gives exactly this, or None."""
    if found == tree.totals():
        return ""
    for name, habits in FAULTS.items():
        if found == tree.totals(**habits):
            return name
    return None
