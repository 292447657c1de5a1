// One thing loaded from the server, with the states a screen must show: loading, loaded, failed, and stale (an older
// answer is still shown while a newer one failed or is on its way).
import { ApiError, get } from "./api";
import { session } from "./session.svelte";

export class Loaded<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<Error | null>(null);
  loading = $state(false);
  private run = 0;

  async load(path: string, fresh = false): Promise<void> {
    const run = ++this.run;
    if (fresh) this.value = null;
    this.loading = true;
    try {
      const value = await get<T>(path);
      if (run !== this.run) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (run !== this.run) return;
      this.error = error as Error;
      if (error instanceof ApiError && error.status === 401) session.lost();
    } finally {
      if (run === this.run) this.loading = false;
    }
  }
}
