// Keyboard: single keys and "g x" pairs, never while somebody types, never with a modifier.
import { router } from "./route.svelte";

export const SHORTCUTS: [string, string][] = [
  ["g o", "overview"],
  ["g c", "chat"],
  ["g m", "models"],
  ["g r", "requests"],
  ["g k", "keys"],
  ["g u", "usage"],
  ["g p", "plan"],
  ["/", "search; in the chat, the message"],
  ["j / k", "next / previous row"],
  ["Enter", "open the row; send the message"],
  ["Shift Enter", "new line in a message"],
  ["Esc", "stop the answer; close a dialog; leave a field"],
  ["?", "this help"],
];

const PLACES: Record<string, string> = { o: "#/", c: "#/chat", m: "#/models", r: "#/requests", k: "#/keys", u: "#/usage", p: "#/plan" };
const PAIR_MS = 1200;

class Keyboard {
  help = $state(false);
  private g_at = 0;

  handle(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as HTMLElement;
    if (document.querySelector("dialog[open]")) return;
    if (target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (this.g_at && performance.now() - this.g_at < PAIR_MS) {
      this.g_at = 0;
      const place = PLACES[event.key];
      if (place) {
        event.preventDefault();
        router.go(place);
        return;
      }
    }
    if (event.key === "g") this.g_at = performance.now();
    else if (event.key === "?") this.help = true;
    else if (event.key === "/") this.search(event);
    else if (event.key === "j") this.step(event, 1);
    else if (event.key === "k") this.step(event, -1);
  }

  private search(event: KeyboardEvent): void {
    event.preventDefault();
    const focus = (): boolean => {
      const field = document.querySelector<HTMLInputElement>("[data-search]");
      field?.focus();
      field?.select();
      return field !== null;
    };
    if (focus()) return;
    router.go("#/requests");
    setTimeout(focus, 50);
  }

  private step(event: KeyboardEvent, by: number): void {
    const links = [...document.querySelectorAll<HTMLElement>("[data-row]")];
    if (links.length === 0) return;
    event.preventDefault();
    const at = links.indexOf(document.activeElement as HTMLElement);
    const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
    links[next]?.focus();
  }
}

export const keyboard = new Keyboard();
