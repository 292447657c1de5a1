// Calls to the server. Two kinds of failure: the server answered with an error (ApiError), or it did not answer
// (Offline). Every call has a limit, so that a dead connection shows as offline and not as an endless wait.

const LIMIT_MS = 15_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint = "",
    readonly field = "",
  ) {
    super(message);
  }
}

export class Offline extends Error {
  constructor() {
    super("the server does not answer");
  }
}

interface ErrorBody {
  error?: { code?: string; message?: string; hint?: string; field?: string };
}

export async function error_of(response: Response): Promise<ApiError> {
  let body: ErrorBody = {};
  try {
    body = (await response.json()) as ErrorBody;
  } catch {
    // Not JSON: the status has to do.
  }
  const e = body.error ?? {};
  const message = e.message || `the server answered with status ${response.status}`;
  return new ApiError(response.status, e.code ?? "", message, e.hint, e.field);
}

type Method = "GET" | "POST" | "DELETE";

export async function call<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, signal: AbortSignal.timeout(LIMIT_MS), credentials: "same-origin" };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "content-type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Offline();
  }
  if (!response.ok) throw await error_of(response);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);

// `a=1&b=2` of what is set.
export function query(values: Record<string, string | number | undefined>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}
