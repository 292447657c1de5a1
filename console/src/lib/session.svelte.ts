// Who is using the console. On the server's own machine its user is let in without a key; elsewhere a key is asked for.
import { ApiError, call, get } from "./api";
import type { Session } from "./types";

type State = "checking" | "in" | "out" | "offline";

class SessionStore {
  state = $state<State>("checking");
  who = $state.raw<Session | null>(null);

  get admin(): boolean {
    return this.who?.role === "admin";
  }

  async start(): Promise<void> {
    try {
      this.enter(await get<Session>("/admin/v1/session"));
    } catch (error) {
      if (!(error instanceof ApiError)) {
        this.state = "offline";
      } else if (error.status !== 401) {
        this.state = "out";
      } else {
        await this.knock();
      }
    }
  }

  async log_in(key: string): Promise<void> {
    this.enter(await call<Session>("POST", "/admin/v1/session", { key }));
  }

  async log_out(): Promise<void> {
    await call("DELETE", "/admin/v1/session").catch(() => undefined);
    this.who = null;
    this.state = "out";
  }

  // The server no longer knows the session (it was restarted, or the session grew old).
  lost(): void {
    if (this.state === "in") {
      this.state = "checking";
      void this.start();
    }
  }

  private async knock(): Promise<void> {
    try {
      this.enter(await call<Session>("POST", "/admin/v1/session", {}));
    } catch (error) {
      this.state = error instanceof ApiError ? "out" : "offline";
    }
  }

  private enter(who: Session): void {
    this.who = who;
    this.state = "in";
  }
}

export const session = new SessionStore();
