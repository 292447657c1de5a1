// The part of Markdown that models write all the time, as data: nothing a model says ever becomes HTML.

export type Inline = { kind: "text" | "code" | "strong" | "em"; text: string };

export type Block =
  | { kind: "code"; language: string; text: string }
  | { kind: "heading"; inline: Inline[] }
  | { kind: "list"; ordered: boolean; start: number; items: Inline[][] }
  | { kind: "paragraph"; inline: Inline[] };

const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\*([^*\s][^*\n]*)\*/g;
const FENCE = /^\s*```\s*([\w+#.-]*)/;
const BULLET = /^\s*(?:[-*+]|(\d{1,4})[.)])\s+(.*)$/;

export function parse_inline(text: string): Inline[] {
  const out: Inline[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) out.push({ kind: "text", text: text.slice(at, match.index) });
    if (match[1] !== undefined) out.push({ kind: "code", text: match[1] });
    else if (match[2] !== undefined) out.push({ kind: "strong", text: match[2] });
    else out.push({ kind: "em", text: match[3] ?? "" });
    at = match.index + match[0].length;
  }
  if (at < text.length) out.push({ kind: "text", text: text.slice(at) });
  return out;
}

export function parse_blocks(source: string): Block[] {
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const close = (): void => {
    if (paragraph.length > 0) blocks.push({ kind: "paragraph", inline: parse_inline(paragraph.join("\n")) });
    paragraph = [];
  };
  const lines = source.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const fence = FENCE.exec(line);
    if (fence) {
      close();
      const code: string[] = [];
      while (++i < lines.length && !/^\s*```\s*$/.test(lines[i] ?? "")) code.push(lines[i] ?? "");
      blocks.push({ kind: "code", language: fence[1] ?? "", text: code.join("\n") });
      continue;
    }
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    if (heading) {
      close();
      blocks.push({ kind: "heading", inline: parse_inline(heading[1] ?? "") });
      continue;
    }
    const bullet = BULLET.exec(line);
    if (bullet) {
      close();
      const ordered = bullet[1] !== undefined;
      const last = blocks.at(-1);
      const item = parse_inline(bullet[2] ?? "");
      if (last?.kind === "list" && last.ordered === ordered) last.items.push(item);
      else blocks.push({ kind: "list", ordered, start: Number(bullet[1] ?? 1), items: [item] });
      continue;
    }
    if (line.trim() === "") close();
    else paragraph.push(line);
  }
  close();
  return blocks;
}
