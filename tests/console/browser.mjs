// A browser for the tests: Debian's Chromium, a fresh profile, and a watch on everything that must not happen.
import { chromium } from "playwright-core";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const BASE = (process.env.BASE_URL ?? "").replace(/\/$/, "");
export const KEY = process.env.ADMIN_KEY ?? "";
const PATIENCE_MS = 60_000; // a bound against hanging, not a measure of speed

export async function open_browser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ARGS,
    timeout: 120_000,
  });
}

// A page with its own cookies. `trouble` gathers foreign requests, page errors and violations of the content policy.
export async function open_page(browser, { dark = false, login = true, width = 1360, height = 860 } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const trouble = [];
  const responses = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${BASE}/`) && !url.startsWith("data:")) trouble.push(`request to ${url}`);
  });
  page.on("response", (response) => responses.push(response));
  page.on("pageerror", (error) => trouble.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    if (/Content Security Policy|Refused to/.test(text)) trouble.push(text);
  });
  await page.goto(`${BASE}/`);
  if (login) await log_in(page);
  return { context, page, trouble, responses };
}

// On the server's own machine its user is let in without a key; where that is off, the form asks for one.
export async function log_in(page) {
  const form = page.getByLabel("Key", { exact: true });
  const inside = page.getByRole("navigation", { name: "Screens" });
  await form.or(inside).first().waitFor();
  if (await form.isVisible()) {
    await form.fill(KEY);
    await page.getByRole("button", { name: "Log in" }).click();
  }
  await inside.waitFor();
}

export async function go(page, hash) {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

// Asks in the chat and waits until the answer has ended.
export async function ask(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

// A request of a program's, past the browser.
export async function api(path, init = {}) {
  return fetch(`${BASE}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json", ...init.headers },
  });
}

export async function complete(text, { model = "default", workload = "test", dialect = "openai", max_tokens = 60 } = {}) {
  const messages = [{ role: "user", content: text }];
  const openai = dialect === "openai";
  const response = await api(openai ? "/v1/chat/completions" : "/v1/messages", {
    method: "POST",
    headers: { "x-freehold-workload": workload, ...(openai ? {} : { "anthropic-version": "2023-06-01" }) },
    body: JSON.stringify({ model, messages, max_tokens }),
  });
  await response.text();
  return response.headers.get("x-request-id");
}
