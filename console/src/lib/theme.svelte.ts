// Light, dark, or what the system says. One attribute on the root; the tokens do the rest.

export type Theme = "system" | "light" | "dark";
const STORE = "freehold.theme";
const ORDER: Theme[] = ["system", "light", "dark"];

function stored(): Theme {
  try {
    const value = localStorage.getItem(STORE);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

class ThemeStore {
  now = $state<Theme>(stored());

  constructor() {
    this.apply();
  }

  next(): void {
    this.now = ORDER[(ORDER.indexOf(this.now) + 1) % ORDER.length] ?? "system";
    try {
      localStorage.setItem(STORE, this.now);
    } catch {
      // Not remembered, then.
    }
    this.apply();
  }

  private apply(): void {
    if (this.now === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.now;
  }
}

export const theme = new ThemeStore();
