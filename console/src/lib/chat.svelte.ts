// The conversation with a model: in memory and in the tab's session storage, nowhere else. What is sent goes through
// the same public endpoint as any program's requests and lands in the same ledger.
import { ApiError, error_of, get, Offline } from "./api";
import { read_events } from "./sse";
import { session } from "./session.svelte";
import type { Row } from "./types";

const STORE = "freehold.chat";
const WORKLOAD = "console";

export interface Turn {
  role: "user" | "assistant";
  text: string;
  reasoning: string;
  model: string;
  state: "done" | "running" | "stopped" | "failed";
  problem: string; // in plain words, when failed
  request_id: string;
  started_ms: number;
  // Measured here until the ledger's row is read.
  input: number | null;
  cached: number | null;
  output: number | null;
  ttft_us: number | null;
  tokens_per_second: number | null;
  finish: string;
  row: Row | null;
}

type Figure = string | number | null; // a number field is empty, or it holds a number

// What is sent with every message. Empty: the server's and the model's own.
export interface Settings {
  system: string;
  temperature: Figure;
  top_p: Figure;
  max_tokens: Figure;
  seed: Figure;
}
const NO_SETTINGS: Settings = { system: "", temperature: "", top_p: "", max_tokens: "", seed: "" };

interface Kept {
  turns?: Turn[];
  model?: string;
  draft?: string;
  settings?: Partial<Settings>;
}

interface Chunk {
  choices?: { delta?: { content?: string | null; reasoning_content?: string | null }; finish_reason?: string | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number; prompt_tokens_details?: { cached_tokens?: number } } | null;
  error?: { message?: string; code?: string; type?: string };
}

function turn(role: Turn["role"], text: string, model: string): Turn {
  return {
    role, text, model, reasoning: "", state: "done", problem: "", request_id: "", started_ms: Date.now(), input: null,
    cached: null, output: null, ttft_us: null, tokens_per_second: null, finish: "", row: null,
  };
}

// What went wrong, for a person who did not write the server.
export function plain_problem(error: unknown): string {
  if (error instanceof Offline) return "The server does not answer. What you wrote is still here; try again when it is back.";
  if (!(error instanceof ApiError)) return "The connection broke before the answer was complete.";
  if (error.code === "context_length_exceeded") {
    return `This conversation is longer than the model can read. ${error.message} Start a new chat, or send less text.`;
  }
  switch (error.status) {
    case 401:
      return "Your session has ended. Reload the page to log in again.";
    case 404:
      return `This model is not served here any more. ${error.message}`;
    case 429:
      return "The model is busy and its queue is full. Nothing was counted; try again in a few seconds.";
    case 503:
      return `The model is not available just now: ${error.message}. Its worker is restarted by itself; try again in a moment.`;
    case 500:
    case 502:
    case 504:
      return `The model's worker failed: ${error.message}. It is started again by itself; ask again in a moment.`;
    default:
      return error.message;
  }
}

class Chat {
  turns = $state<Turn[]>([]);
  model = $state("");
  draft = $state("");
  settings = $state<Settings>({ ...NO_SETTINGS });
  running = $state(false);
  // Sent before it was known which models are served: sent for real when it is (`choose`).
  waiting = $state(false);
  private abort: AbortController | null = null;

  constructor() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(STORE) ?? "{}") as Kept;
      this.turns = kept.turns ?? [];
      this.model = kept.model ?? "";
      this.draft = kept.draft ?? "";
      this.settings = { ...NO_SETTINGS, ...kept.settings };
    } catch {
      // Storage is off or holds something else: begin empty.
    }
    for (const t of this.turns) if (t.state === "running") t.state = "stopped";
  }

  keep(): void {
    try {
      const kept: Kept = { turns: this.turns, model: this.model, draft: this.draft, settings: this.settings };
      sessionStorage.setItem(STORE, JSON.stringify(kept));
    } catch {
      // A full or forbidden storage costs the memory across a reload, no more.
    }
  }

  clear(): void {
    this.stop();
    this.turns = [];
    this.keep();
  }

  // How many settings are not the model's own.
  get changed(): number {
    return Object.values(this.settings).filter((value) => String(value ?? "").trim() !== "").length;
  }

  reset(): void {
    this.settings = { ...NO_SETTINGS };
    this.keep();
  }

  // The conversation as text, for a ticket or a note.
  text(): string {
    const said = this.turns.filter((t) => t.text).map((t) => `## ${t.role === "user" ? "You" : t.model}\n\n${t.text}\n`);
    return said.join("\n");
  }

  stop(): void {
    this.abort?.abort();
  }

  async send(): Promise<void> {
    const text = this.draft.trim();
    this.waiting = text !== "" && !this.running && !this.model;
    if (!text || this.running || this.waiting) return;
    this.draft = "";
    this.turns.push(turn("user", text, ""));
    await this.answer();
  }

  // The model that answers from now on; what was sent too early goes to it.
  async choose(model: string): Promise<void> {
    this.model = model;
    if (this.waiting && model) await this.send();
  }

  // Asks something else at that place; what followed it is dropped.
  async edit(at: number, text: string): Promise<void> {
    if (this.running || !text.trim()) return;
    this.turns = [...this.turns.slice(0, at), turn("user", text.trim(), "")];
    await this.answer();
  }

  // Asks again for the last user turn.
  async again(): Promise<void> {
    if (this.running) return;
    while (this.turns.at(-1)?.role === "assistant") this.turns.pop();
    if (this.turns.length > 0) await this.answer();
  }

  private async answer(): Promise<void> {
    const messages = this.turns.filter((t) => t.text).map((t) => ({ role: t.role as string, content: t.text }));
    const system = this.settings.system.trim();
    if (system) messages.unshift({ role: "system", content: system });
    this.turns.push({ ...turn("assistant", "", this.model), state: "running" });
    const reply = this.turns.at(-1) as Turn; // the reactive one
    this.running = true;
    this.abort = new AbortController();
    try {
      await this.stream(reply, messages, this.abort.signal);
      if (reply.state === "running") reply.state = "done";
    } catch (error) {
      if (this.abort.signal.aborted) {
        reply.state = "stopped";
      } else {
        reply.state = "failed";
        reply.problem = plain_problem(error);
      }
    }
    this.running = false;
    this.abort = null;
    this.keep();
    await this.read_row(reply);
    this.keep();
  }

  private numbers(): Record<string, number> {
    const out: Record<string, number> = {};
    for (const name of ["temperature", "top_p", "max_tokens", "seed"] as const) {
      const text = String(this.settings[name] ?? "").trim();
      if (text !== "" && Number.isFinite(Number(text))) out[name] = Number(text);
    }
    return out;
  }

  private async stream(reply: Turn, messages: unknown[], signal: AbortSignal): Promise<void> {
    let response: Response;
    try {
      response = await fetch("/v1/chat/completions", {
        method: "POST",
        signal,
        headers: { "content-type": "application/json", "x-freehold-workload": WORKLOAD },
        body: JSON.stringify({
          model: reply.model, messages, stream: true, stream_options: { include_usage: true }, ...this.numbers(),
        }),
      });
    } catch {
      throw new Offline();
    }
    if (!response.ok || !response.body) throw await error_of(response);
    reply.request_id = response.headers.get("x-request-id") ?? "";
    let ended = false;
    let first_ms = 0;
    for await (const event of read_events(response.body)) {
      if (event.data === "[DONE]") {
        ended = true;
        break;
      }
      const chunk = JSON.parse(event.data) as Chunk;
      if (chunk.error) {
        throw new ApiError(500, chunk.error.code ?? "", chunk.error.message ?? "the answer broke off");
      }
      const choice = chunk.choices?.[0];
      const text = choice?.delta?.content ?? "";
      const reasoning = choice?.delta?.reasoning_content ?? "";
      if ((text || reasoning) && !first_ms) {
        first_ms = performance.now();
        reply.ttft_us = (Date.now() - reply.started_ms) * 1000;
      }
      reply.text += text;
      reply.reasoning += reasoning;
      if (choice?.finish_reason) reply.finish = choice.finish_reason;
      if (chunk.usage) {
        reply.input = chunk.usage.prompt_tokens;
        reply.cached = chunk.usage.prompt_tokens_details?.cached_tokens ?? 0;
        reply.output = chunk.usage.completion_tokens;
        const span_s = (performance.now() - first_ms) / 1000;
        if (first_ms && span_s > 0.01 && reply.output > 1) reply.tokens_per_second = (reply.output - 1) / span_s;
      }
    }
    if (!ended) throw new Error("cut");
  }

  // The ledger's numbers replace those measured here. A stopped request settles a moment after the stop.
  private async read_row(reply: Turn): Promise<void> {
    if (!reply.request_id || !session.admin) return;
    for (let wait_ms = 100; wait_ms <= 1600; wait_ms *= 2) {
      try {
        const row = await get<Row>(`/admin/v1/requests/${encodeURIComponent(reply.request_id)}`);
        if (row.usage) {
          reply.row = row;
          reply.input = row.usage.input_uncached + row.usage.cache_read + row.usage.cache_write;
          reply.cached = row.usage.cache_read;
          reply.output = row.usage.output;
          reply.ttft_us = row.ttft_us ?? reply.ttft_us;
          reply.tokens_per_second = row.tokens_per_second ?? reply.tokens_per_second;
          return;
        }
      } catch {
        return; // the measured numbers stay
      }
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
    }
  }
}

export const chat = new Chat();
