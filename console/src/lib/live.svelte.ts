// The live stream: one connection for everything that moves. Events are gathered and handed on a few times a second,
// so that the work in the browser does not grow with the load on the server.
import { ApiError, get } from "./api";
import { session } from "./session.svelte";
import type { Life, Session, Status } from "./types";

const FLUSH_MS = 200;
const KEEP = 300; // requests remembered here
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 15_000;

export interface Seen extends Life {
  seen_end_ms: number | null; // server time at which it ended, as far as it is known
}

type Connection = "connecting" | "live" | "offline";

class LiveStore {
  connection = $state<Connection>("connecting");
  retry_at_ms = $state(0);
  status = $state.raw<Status | null>(null);
  // Newest change last.
  requests = $state.raw<Map<string, Seen>>(new Map());
  clock_skew_ms = 0; // server minus browser

  private source: EventSource | null = null;
  private pending = new Map<string, Life>();
  private flush_timer = 0;
  private retry_timer = 0;
  private retry_ms = RETRY_FIRST_MS;
  private listeners = new Set<(changed: Life[]) => void>();

  start(): void {
    if (this.source || this.retry_timer) return;
    this.connect();
  }

  stop(): void {
    this.source?.close();
    this.source = null;
    clearTimeout(this.retry_timer);
    this.retry_timer = 0;
  }

  // Called with each batch of changes; returns how to stop that.
  on_change(listener: (changed: Life[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // How many run now. The status says it only every ten seconds; the stream's requests are as fresh as they come, and
  // complete as long as none had to be forgotten.
  get running(): number {
    let seen = 0;
    for (const life of this.requests.values()) if (life.state === "running") seen++;
    return this.requests.size < KEEP ? seen : Math.max(seen, this.status?.requests_running ?? 0);
  }

  server_now(): number {
    return Date.now() + this.clock_skew_ms;
  }

  retry_now(): void {
    clearTimeout(this.retry_timer);
    void this.probe();
  }

  private connect(): void {
    const source = new EventSource("/admin/v1/live");
    this.source = source;
    source.addEventListener("open", () => {
      this.connection = "live";
      this.retry_ms = RETRY_FIRST_MS;
    });
    source.addEventListener("status", (event) => {
      const status = JSON.parse((event as MessageEvent<string>).data) as Status;
      this.clock_skew_ms = status.now_ms - Date.now();
      this.status = status;
    });
    source.addEventListener("request", (event) => {
      const life = JSON.parse((event as MessageEvent<string>).data) as Life;
      this.pending.set(life.request_id, life);
      this.flush_timer ||= setTimeout(() => this.flush(), FLUSH_MS);
    });
    source.addEventListener("error", () => {
      source.close();
      this.source = null;
      this.wait();
    });
  }

  private wait(): void {
    this.connection = this.connection === "live" ? "connecting" : this.connection;
    clearTimeout(this.retry_timer);
    this.retry_at_ms = Date.now() + this.retry_ms;
    this.retry_timer = setTimeout(() => void this.probe(), this.retry_ms);
    this.retry_ms = Math.min(this.retry_ms * 2, RETRY_MAX_MS);
  }

  // An ended stream does not say why. Asking for the session tells a stopped server from a lost session.
  private async probe(): Promise<void> {
    this.retry_timer = 0;
    try {
      await get<Session>("/admin/v1/session");
      this.connect();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        this.connection = "connecting";
        session.lost();
        return;
      }
      this.connection = "offline";
      this.wait();
    }
  }

  // When it ended. The event does not say; the speed up to the last token does. Without one the end was now, if we
  // were watching, and is not known otherwise: the stream begins with requests that ended before it.
  private end_of(life: Life, before: Seen | undefined): number {
    if (life.first_token_ms && life.tokens_per_second) {
      return life.first_token_ms + ((life.output_tokens - 1) / life.tokens_per_second) * 1000;
    }
    return before ? this.server_now() : (life.first_token_ms ?? life.received_ms ?? 0);
  }

  private flush(): void {
    this.flush_timer = 0;
    const changed = [...this.pending.values()];
    this.pending.clear();
    const next = new Map(this.requests);
    for (const life of changed) {
      const before = next.get(life.request_id);
      next.delete(life.request_id);
      const seen_end_ms = life.state === "settled" ? (before?.seen_end_ms ?? this.end_of(life, before)) : null;
      next.set(life.request_id, { ...life, seen_end_ms });
    }
    for (const id of next.keys()) {
      if (next.size <= KEEP) break;
      next.delete(id);
    }
    this.requests = next;
    for (const listener of this.listeners) listener(changed);
  }
}

export const live = new LiveStore();

// A request that ended without being admitted was refused: the ledger never had it.
export const was_refused = (life: Life): boolean =>
  life.state === "settled" && (life.stage === "received" || life.stage === "prepared");
