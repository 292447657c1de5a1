// What the server's names mean, in plain words. Each ending has a tone and a sign, so that colour is never alone.

export type Tone = "good" | "live" | "bad" | "quiet";

export interface Word {
  text: string;
  means: string;
  tone: Tone;
  sign: string;
}

const END: Record<string, [string, string, Tone]> = {
  complete: ["complete", "The model finished its answer.", "good"],
  stop: ["stop string", "A stop string of the caller's was reached.", "good"],
  tool: ["tool call", "The model asked for a tool and waits for its result.", "good"],
  length: ["length", "The caller's limit of output tokens was reached.", "live"],
  context_full: ["context full", "The context window was full before the answer ended.", "live"],
  budget: ["budget", "A budget was used up.", "live"],
  client_abort: ["client left", "The caller closed the connection. What was made until then is counted.", "quiet"],
  cancelled: ["cancelled", "The request was cancelled, for example by a shutdown.", "quiet"],
  timeout: ["timeout", "The request took longer than allowed.", "bad"],
  upstream_cut: ["cut off", "The model's answer was cut off before its end.", "bad"],
  upstream_error: ["model error", "The model's worker reported an error.", "bad"],
  crash: ["crash", "The server or a worker stopped while this ran; the row was closed at the next start.", "bad"],
  rejected: ["refused", "The request was refused before it began.", "bad"],
};

const SIGNS: Record<Tone, string> = { good: "✓", live: "◐", bad: "✕", quiet: "○" };

export function end_word(reason: string): Word {
  const [text, means, tone] = END[reason] ?? [reason.replaceAll("_", " "), "", "quiet" as Tone];
  return { text, means, tone, sign: SIGNS[tone] };
}

const STAGE: Record<string, [string, string]> = {
  received: ["received", "The request arrived and its key was checked."],
  authenticated: ["key checked", "The key was recognised."],
  prepared: ["prepared", "The prompt is in the model's tokens; it fits the context window."],
  admitted: ["admitted", "A row in the ledger says that this request will run."],
  queued: ["queued", "Handed to the model; waiting for a free place."],
  prefill: ["reading prompt", "The model reads the part of the prompt that is not cached."],
  first_token: ["answering", "The first token is out; the answer is being made."],
  ended: ["ended", "The model made its last token."],
  settled: ["settled", "Usage and prices are in the ledger."],
};

export const stage_word = (name: string): string => STAGE[name]?.[0] ?? name.replaceAll("_", " ");
export const stage_means = (name: string): string => STAGE[name]?.[1] ?? "";

export const MODEL_STATES: Record<string, Word> = {
  ready: { text: "ready", means: "Answers requests.", tone: "good", sign: "●" },
  starting: { text: "starting", means: "The worker is loading the model.", tone: "live", sign: "◐" },
  stopped: { text: "stopped", means: "Not loaded. The first request for it starts its worker.", tone: "quiet", sign: "○" },
  failed: { text: "failed", means: "The worker could not be started.", tone: "bad", sign: "✕" },
};

export const FITS: Record<string, Word> = {
  yes: { text: "fits", means: "", tone: "good", sign: "✓" },
  tight: { text: "tight", means: "", tone: "live", sign: "◐" },
  no: { text: "does not fit", means: "", tone: "bad", sign: "✕" },
};

export const DURABILITY: Record<string, string> = {
  process: "A request is in the ledger before it runs and on disk within milliseconds: it survives a crash of the program; a power cut can lose the last moment.",
  power: "A request is on disk before it runs: it also survives a power cut.",
};
