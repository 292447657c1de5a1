// The list of requests: pages of the ledger, newest first, kept up with by the live stream. The stream only says that
// something changed; what is shown of an ended request always comes from the ledger.
import { query } from "./api";
import { get, ApiError } from "./api";
import { live, was_refused } from "./live.svelte";
import { session } from "./session.svelte";
import type { Life, Row, RowPage } from "./types";

const PAGE = 50;
export const ROWS_MAX = 500;
const REFRESH_MS = 400;

export interface Filter {
  model: string;
  key: string;
  workload: string;
  running: string;
}

const same = (a: Row, b: Row): boolean => a.sequence === b.sequence;

export class RequestList {
  rows = $state.raw<Row[]>([]);
  next = $state<number | null>(null);
  error = $state.raw<Error | null>(null);
  loading = $state(true); // the first page
  older = $state(false); // a further page is on its way
  held = $state(0); // new rows not shown because the reader is further down
  hold = false;

  private filter: Filter = { model: "", key: "", workload: "", running: "" };
  private run = 0;
  private timer = 0;

  // Follows the stream until the returned function is called.
  follow(): () => void {
    const off = live.on_change((changed) => this.changed(changed));
    return () => {
      off();
      clearTimeout(this.timer);
      this.timer = 0;
    };
  }

  async open(filter: Filter): Promise<void> {
    this.filter = filter;
    const run = ++this.run;
    this.loading = true;
    this.held = 0;
    await this.guard(run, async () => {
      const page = await this.page();
      if (run !== this.run) return;
      this.rows = page.rows;
      this.next = page.next_before;
    });
    if (run === this.run) this.loading = false;
  }

  async load_older(): Promise<void> {
    if (this.next === null || this.older) return;
    const run = this.run;
    this.older = true;
    await this.guard(run, async () => {
      const page = await this.page(this.next ?? 0);
      if (run !== this.run) return;
      this.rows = [...this.rows, ...page.rows.filter((row) => !this.rows.some((old) => same(old, row)))];
      this.next = page.next_before;
    });
    this.older = false;
  }

  show_held(): void {
    this.hold = false;
    void this.refresh();
  }

  private page(before = 0): Promise<RowPage> {
    return get<RowPage>(`/admin/v1/requests${query({ limit: PAGE, before: before || undefined, ...this.filter })}`);
  }

  private async guard(run: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (run === this.run) this.error = null;
    } catch (error) {
      if (run !== this.run) return;
      this.error = error as Error;
      if (error instanceof ApiError && error.status === 401) session.lost();
    }
  }

  private changed(lives: Life[]): void {
    const shown = new Map(this.rows.map((row) => [row.request_id, row]));
    const matters = lives.some((life) => {
      if (was_refused(life)) return false;
      const row = shown.get(life.request_id);
      return row ? row.state === "running" && life.state === "settled" : true;
    });
    if (matters && !this.timer) {
      this.timer = setTimeout(() => {
        this.timer = 0;
        void this.refresh();
      }, REFRESH_MS);
    }
  }

  private async refresh(): Promise<void> {
    const run = this.run;
    await this.guard(run, async () => {
      const page = await this.page();
      if (run !== this.run) return;
      this.merge(page);
      await this.settle_rest(page, run);
    });
  }

  private merge(page: RowPage): void {
    const oldest = page.rows.at(-1)?.sequence ?? 0;
    const fresh = page.rows.filter((row) => !this.rows.some((old) => same(old, row)));
    if (this.hold && fresh.length > 0) {
      this.held = fresh.length;
      this.rows = this.rows.map((old) => page.rows.find((row) => same(row, old)) ?? old);
      return;
    }
    this.held = 0;
    // Rows above the page's end are replaced by it; if the page ends above all we have, a gap would open: start over.
    const joined = page.next_before === null || this.rows.some((row) => row.sequence >= oldest);
    const below = joined ? this.rows.filter((row) => row.sequence < oldest) : [];
    const kept = page.next_before === null ? [] : below;
    if (kept.length === 0) this.next = page.next_before;
    this.rows = [...page.rows, ...kept].slice(0, ROWS_MAX);
  }

  // Rows that ran when they were loaded, have ended since, and lie below the first page.
  private async settle_rest(page: RowPage, run: number): Promise<void> {
    const ended = this.rows.filter(
      (row) =>
        row.state === "running" &&
        live.requests.get(row.request_id)?.state === "settled" &&
        !page.rows.some((fresh) => same(fresh, row)),
    );
    for (const row of ended.slice(0, 10)) {
      const now = await get<Row>(`/admin/v1/requests/${encodeURIComponent(row.request_id)}`);
      if (run !== this.run) return;
      this.rows = this.rows.map((old) => (same(old, now) ? now : old));
    }
  }
}
