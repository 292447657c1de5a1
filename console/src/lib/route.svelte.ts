// The address is the state: "#/requests?model=x" shows the same screen to whoever opens it.

export interface Route {
  screen: string; // first segment; "" is the overview
  id: string; // second segment, decoded
  params: URLSearchParams;
}

function parse(hash: string): Route {
  const text = hash.replace(/^#\/?/, "");
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  const [screen = "", id = ""] = path.split("/");
  let decoded = id;
  try {
    decoded = decodeURIComponent(id);
  } catch {
    // A malformed escape names nothing; the raw text finds nothing either.
  }
  return { screen, id: decoded, params: new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)) };
}

class Router {
  now = $state.raw<Route>(parse(location.hash));

  constructor() {
    addEventListener("hashchange", () => {
      this.now = parse(location.hash);
    });
  }

  go(to: string): void {
    location.hash = to;
  }

  // Changes parameters of the shown screen; an empty value removes one. No new history entry.
  set(changes: Record<string, string>): void {
    const params = new URLSearchParams(this.now.params);
    for (const [name, value] of Object.entries(changes)) {
      if (value) params.set(name, value);
      else params.delete(name);
    }
    const path = `#/${this.now.screen}${this.now.id ? `/${encodeURIComponent(this.now.id)}` : ""}`;
    const text = params.toString();
    history.replaceState(null, "", text ? `${path}?${text}` : path);
    this.now = parse(location.hash);
  }
}

export const router = new Router();
