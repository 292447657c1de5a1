// Where a number comes from, in words that somebody without the catalogue understands.
import type { Input, PlanFile } from "./types";

export interface Origin {
  text: string;
  address?: string;
}

const WORDS: Record<string, string> = {
  ask: "nobody has said; your own figure belongs here",
  "ask; default none": "nobody has said; none is assumed",
  "what if": "a what-if, not a fact",
  calc: "computed from the catalogue",
  assumption: "assumption",
  "your usage records": "your usage records",
};

// "market-2026, calc" names two sources of the catalogue; other texts speak for themselves.
export function origins_of(file: PlanFile, source: string): Origin[] {
  const known = WORDS[source];
  if (known) return [{ text: known }];
  const out: Origin[] = [];
  for (const piece of source.split(", ")) {
    const key = /^[a-z0-9-]+/.exec(piece)?.[0] ?? "";
    const found = file.sources.find((each) => each.key === key);
    if (found && (piece === key || piece.startsWith(`${key} (`))) {
      out.push({ text: found.title + piece.slice(key.length), ...(found.address ? { address: found.address } : {}) });
    } else {
      const last = out.at(-1);
      const text = WORDS[piece] ?? piece;
      // A comma inside a sentence parts nothing.
      if (last && !last.address && !WORDS[piece] && !/^[a-z0-9-]+$/.test(piece)) last.text += `, ${text}`;
      else out.push({ text });
    }
  }
  return out;
}

export function origin_text(file: PlanFile, input: Input, changed: boolean): string {
  if (changed) return "changed here";
  if (input.from === "user" && !input.source) return "written in the scenario";
  return origins_of(file, input.source)
    .map((origin) => origin.text)
    .join("; ");
}

// "date · low confidence", or what there is of it.
export function trust_text(input: Input, changed: boolean): string {
  if (changed) return "";
  return [input.date, input.confidence ? `${input.confidence} confidence` : ""].filter(Boolean).join(" · ");
}

// A result is as sure as the least sure of what moves it most.
export function least_confidence(table: readonly Input[], movers: readonly string[]): string {
  const rank = ["low", "medium", "high"];
  let least = 2;
  for (const name of movers) {
    const input = table.find((each) => each.name === name);
    if (input) least = Math.min(least, Math.max(0, rank.indexOf(input.confidence)));
  }
  return rank[least] ?? "low";
}
