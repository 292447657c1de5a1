// The part of Markdown that models write all the time, as data: nothing a model says ever becomes HTML, and nothing it
// names is fetched. A link is a link that somebody has to follow; an image is its description.

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong" | "em" | "gone"; parts: Inline[] }
  | { kind: "link"; href: string; parts: Inline[] };

export type Side = "left" | "right" | "center";

export type Block =
  | { kind: "code"; language: string; text: string }
  | { kind: "heading"; inline: Inline[] }
  | { kind: "list"; ordered: boolean; start: number; items: Block[][] }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "table"; sides: Side[]; head: Inline[][]; rows: Inline[][][] }
  | { kind: "rule" }
  | { kind: "paragraph"; inline: Inline[] };

// Deeper than anybody writes: what a model nests further is shown as it stands.
const DEPTH_MAX = 10;

// Bounded where they look ahead: a long line of opening marks must not cost its square.
const INLINE = new RegExp(
  [
    /(`+)(?!`)([^\n]{0,1000}?[^`\n])\1(?!`)/, // 1, 2: code
    /\*\*(?=\S)([^\n]{0,1000}?\S)\*\*(?!\*)/, // 3: strong
    /__(?=\S)([^\n]{0,1000}?\S)__(?!\w|\.\w)/, // 4: strong, not __init__.py
    /\*(?=[^\s*])([^*\n]*?[^\s*])\*(?!\*)/, // 5: emphasis
    /(?<!\w)_(?=[^\s_])([^_\n]*?[^\s_])_(?!\w)/, // 6: emphasis, not in snake_case
    /~~(?=\S)([^~\n]+)~~/, // 7: struck out
    /!?\[([^\]\n]*)\]\((https?:\/\/[^\s()]+(?:\([^\s()]*\)[^\s()]*)*)\)/, // 8, 9: link
    /(?<![\w/])(https?:\/\/[^\s<>()"'`]*[^\s<>()"'`.,;:!?])/, // 10: bare address
    /\\([\\`*_{}[\]()#+.!|~>-])/, // 11: escaped
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

export function parse_inline(text: string, depth = 0): Inline[] {
  const out: Inline[] = [];
  const add_text = (more: string): void => {
    const last = out.at(-1);
    if (last?.kind === "text") last.text += more;
    else if (more) out.push({ kind: "text", text: more });
  };
  const inner = (more: string): Inline[] =>
    depth < DEPTH_MAX ? parse_inline(more, depth + 1) : [{ kind: "text", text: more }];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    add_text(text.slice(at, match.index));
    at = match.index + match[0].length;
    const [, , code, strong, strong_too, em, em_too, gone, label, href, bare, escaped] = match;
    if (code !== undefined) out.push({ kind: "code", text: code.replace(/^ (.*\S.*) $/, "$1") });
    else if (strong ?? strong_too) out.push({ kind: "strong", parts: inner(strong ?? strong_too ?? "") });
    else if (em ?? em_too) out.push({ kind: "em", parts: inner(em ?? em_too ?? "") });
    else if (gone) out.push({ kind: "gone", parts: inner(gone) });
    else if (href) out.push({ kind: "link", href, parts: label ? inner(label) : [{ kind: "text", text: href }] });
    else if (bare) out.push({ kind: "link", href: bare, parts: [{ kind: "text", text: bare }] });
    else add_text(escaped ?? match[0]);
  }
  add_text(text.slice(at));
  return out;
}

const FENCE = /^(\s*)(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const ITEM = /^(\s*)(?:[-*+]|(\d{1,4})[.)])(?:\s+(.*)|)$/;
const QUOTE = /^ {0,3}>\s?(.*)$/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

const width_of = (line: string): number => /^\s*/.exec(line.replaceAll("\t", "    "))?.[0].length ?? 0;

function cells_of(line: string): string[] {
  const inside = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function side_of(cell: string): Side {
  if (!cell.endsWith(":")) return "left";
  return cell.startsWith(":") ? "center" : "right";
}

class Parser {
  private at = 0;
  private blocks: Block[] = [];
  private paragraph: string[] = [];

  private readonly lines: string[];
  private readonly depth: number;

  constructor(lines: string[], depth: number) {
    this.lines = lines;
    this.depth = depth;
  }

  run(): Block[] {
    while (this.at < this.lines.length) {
      const line = this.lines[this.at] ?? "";
      if (line.trim() === "") {
        this.close();
        this.at++;
      } else if (!(this.fence(line) || this.simple(line) || this.quote(line) || this.table(line) || this.list(line))) {
        this.paragraph.push(line);
        this.at++;
      }
    }
    this.close();
    return this.blocks;
  }

  private close(): void {
    const text = this.paragraph.join("\n");
    if (text) this.blocks.push({ kind: "paragraph", inline: parse_inline(text) });
    this.paragraph = [];
  }
  private push(block: Block): true {
    this.close();
    this.blocks.push(block);
    return true;
  }
  private inner(lines: string[]): Block[] {
    if (this.depth >= DEPTH_MAX) return [{ kind: "paragraph", inline: [{ kind: "text", text: lines.join("\n") }] }];
    return new Parser(lines, this.depth + 1).run();
  }

  // A block that is still being written ends with the text.
  private fence(line: string): boolean {
    const open = FENCE.exec(line);
    if (!open) return false;
    const [, indent = "", mark = "", language = ""] = open;
    const end = new RegExp(`^\\s*${mark[0] === "~" ? "~" : "`"}{${mark.length},}\\s*$`);
    const code: string[] = [];
    while (++this.at < this.lines.length && !end.test(this.lines[this.at] ?? "")) {
      const each = this.lines[this.at] ?? "";
      code.push(each.startsWith(indent) ? each.slice(indent.length) : each.trimStart());
    }
    this.at++;
    return this.push({ kind: "code", language, text: code.join("\n") });
  }

  private simple(line: string): boolean {
    const heading = HEADING.exec(line);
    if (!heading && !RULE.test(line)) return false;
    this.at++;
    return this.push(heading ? { kind: "heading", inline: parse_inline(heading[1] ?? "") } : { kind: "rule" });
  }

  private quote(line: string): boolean {
    if (!QUOTE.test(line)) return false;
    const inside: string[] = [];
    for (let found = QUOTE.exec(line); found; found = QUOTE.exec(this.lines[this.at] ?? "")) {
      inside.push(found[1] ?? "");
      this.at++;
    }
    return this.push({ kind: "quote", blocks: this.inner(inside) });
  }

  private table(line: string): boolean {
    const divider = this.lines[this.at + 1] ?? "";
    if (!line.includes("|") || !divider.includes("-") || !DIVIDER.test(divider)) return false;
    const head = cells_of(line);
    const sides = cells_of(divider).map(side_of);
    if (head.length !== sides.length) return false;
    const rows: Inline[][][] = [];
    for (this.at += 2; (this.lines[this.at] ?? "").includes("|"); this.at++) {
      const cells = cells_of(this.lines[this.at] ?? "");
      rows.push(head.map((_, i) => parse_inline(cells[i] ?? "")));
    }
    return this.push({ kind: "table", sides, head: head.map((cell) => parse_inline(cell)), rows });
  }

  // An item holds what is indented further than its mark, and blank lines between.
  private list(line: string): boolean {
    const first = ITEM.exec(line);
    if (!first) return false;
    const indent = width_of(line);
    const ordered = first[2] !== undefined;
    const items: Block[][] = [];
    while (this.at < this.lines.length) {
      const mark = ITEM.exec(this.lines[this.at] ?? "");
      if (!mark || width_of(this.lines[this.at] ?? "") !== indent || (mark[2] !== undefined) !== ordered) break;
      if (RULE.test(this.lines[this.at] ?? "")) break;
      const inside = [mark[3] ?? ""];
      const content = mark[0].length - (mark[3] ?? "").length;
      this.at++;
      while (this.at < this.lines.length) {
        const next = this.lines[this.at] ?? "";
        const after = this.lines[this.at + 1] ?? "";
        const blank = next.trim() === "";
        if (blank ? width_of(after) <= indent || after.trim() === "" : width_of(next) <= indent) break;
        inside.push(blank ? "" : next.replaceAll("\t", "    ").slice(Math.min(width_of(next), content)));
        this.at++;
      }
      // Items with a blank line between them are one list.
      if ((this.lines[this.at] ?? "x").trim() === "") {
        const after = this.lines[this.at + 1] ?? "";
        if (ITEM.test(after) && width_of(after) === indent) this.at++;
      }
      items.push(this.inner(inside));
    }
    return this.push({ kind: "list", ordered, start: Number(first[2] ?? 1), items });
  }
}

export const parse_blocks = (source: string): Block[] => new Parser(source.split("\n"), 0).run();
