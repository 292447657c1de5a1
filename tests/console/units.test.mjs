// Parts of the console that need no browser: what Markdown is read as, and the file of requests.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse_blocks, parse_inline } from "../../console/src/lib/markdown.ts";
import { csv_of } from "../../console/src/lib/csv.ts";

// Blocks as a short text: p(...) ul[...] and so on.
function told(blocks) {
  return blocks.map((block) => {
    switch (block.kind) {
      case "code": return `code:${block.language}(${block.text})`;
      case "heading": return `h(${words(block.inline)})`;
      case "list": return `${block.ordered ? `ol${block.start}` : "ul"}[${block.items.map(told).join("; ")}]`;
      case "quote": return `quote(${told(block.blocks)})`;
      case "table": return `table(${block.sides.join(",")})[${[block.head, ...block.rows].map((row) => row.map(words).join("|")).join("; ")}]`;
      case "rule": return "rule";
      default: return `p(${words(block.inline)})`;
    }
  }).join(" ");
}
function words(parts) {
  return parts.map((part) => {
    if (part.kind === "text") return part.text;
    if (part.kind === "code") return `\`${part.text}\``;
    return `<${part.kind}${part.href ? ` ${part.href}` : ""} ${words(part.parts)}>`;
  }).join("");
}

const CASES = [
  ["plain text\nover two lines\n\nand another", "p(plain text\nover two lines) p(and another)"],
  ["# Head #\ntext", "h(Head) p(text)"],
  ["#hashtag", "p(#hashtag)"],
  ["1. one\n   - a\n   - b\n\n   more\n2. two\n\n3. three\n\ntext", "ol1[p(one) ul[p(a); p(b)] p(more); p(two); p(three)] p(text)"],
  ["7) seven\n8) eight", "ol7[p(seven); p(eight)]"],
  ["- x\n- y\n\n```py\nprint(1)\n```\n- z", "ul[p(x); p(y)] code:py(print(1)) ul[p(z)]"],
  ["1. step\n   ```sh\n   ls -l\n     two\n   ```\n2. next", "ol1[p(step) code:sh(ls -l\n  two); p(next)]"],
  ["```js\nunfinished", "code:js(unfinished)"],
  ["````\n```\n````", "code:(```)"],
  ["| a | b |\n|---|--:|\n| 1 | `x\\|y` |\n| 3 |\nend", "table(left,right)[a|b; 1|`x|y`; 3|] p(end)"],
  ["a | b\nno divider", "p(a | b\nno divider)"],
  ["> quote\n> - l\n\n---", "quote(p(quote) ul[p(l)]) rule"],
  ["2 * 3 * 4 and a*b*", "p(2 * 3 * 4 and a<em b>)"],
  ["**bold `x` and *inner***", "p(<strong bold `x` and <em inner>>)"],
  ["snake_case_name __init__.py _real_", "p(snake_case_name __init__.py <em real>)"],
  ["\\*not\\* ~~gone~~ ``a`b``", "p(*not* <gone gone> `a`b`)"],
  ["[l](https://e.com/a_(b)) https://x.org/y.", "p(<link https://e.com/a_(b) l> <link https://x.org/y https://x.org/y>.)"],
  ["![pic](https://e.com/a.png)", "p(<link https://e.com/a.png pic>)"],
  ["[no](javascript:alert(1)) [no](data:text/html,x) <b>x</b>", "p([no](javascript:alert(1)) [no](data:text/html,x) <b>x</b>)"],
];
for (const [source, wanted] of CASES) {
  test(`Markdown: ${JSON.stringify(source.slice(0, 40))}`, () => assert.equal(told(parse_blocks(source)), wanted));
}

test("Markdown: no text is lost, whatever stands in it", () => {
  const marks = ["*", "**", "_", "`", "```\n", "> ", "- ", "1. ", "|", "\n", "\n\n", "  ", "a", "word ", "[x](https://e.com)", "#", "~~", "---\n"];
  let state = 7;
  const next = (n) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n;
  for (let round = 0; round < 3000; round++) {
    let source = "";
    for (let i = 0; i < 1 + next(40); i++) source += marks[next(marks.length)];
    if (/```|~~~|\|/.test(source)) continue; // what stands behind a fence's mark or past a table's width goes
    const shown = told(parse_blocks(source));
    const count = (text) => text.split("word").length - 1;
    assert.ok(count(shown) >= count(source), JSON.stringify(source));
  }
});

test("Markdown: marks that nobody closes cost no square", () => {
  for (const mark of ["**a ", "`", ">", "[", "_a ", "~~a "]) parse_blocks(mark.repeat(20_000));
  parse_blocks(Array.from({ length: 400 }, (_, i) => `${" ".repeat(i * 2)}- x`).join("\n"));
  assert.equal(parse_inline("plain")[0].text, "plain");
});

test("the file of requests is one that a spreadsheet cannot be tricked with", () => {
  const row = {
    request_id: "req_1", received_ms: 0, ended_ms: 1500, state: "settled", end_reason: "complete", error_code: "", model_served: "m",
    model_requested: "default", dialect: "anthropic", key_id: "key_1", key_name: 'Ann "A", Inc', project: "", workload: "=HYPERLINK(1)",
    usage: { input_uncached: 3, cache_read: 4, cache_write: 0, output: 5, reasoning: 0 }, ttft_us: 250_000, tokens_per_second: 12.5,
    duration_us: 1_500_000, api_costs: [{ model: "x/y", micro_usd: 480 }],
  };
  const running = { ...row, request_id: "req_2", state: "running", usage: undefined, ttft_us: null, api_costs: undefined, ended_ms: null };
  const [head, first, second, end] = csv_of([row, running]).split("\r\n");
  assert.equal(head.split(",").slice(0, 3).join(), "request_id,received,ended");
  assert.ok(head.endsWith('"same tokens at x/y, USD"'));
  assert.ok(first.includes("1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.500Z"), first);
  assert.ok(first.includes('"Ann ""A"", Inc"'), first);
  assert.ok(first.includes(",'=HYPERLINK(1),3,4,0,5,0.25,12.5,1.5,0.000480"), first);
  assert.ok(second.endsWith(",,,,,,12.5,1.5,"), second);
  assert.equal(end, "");
});
