// The console in a real browser against a real server. BASE_URL and ADMIN_KEY name the server, which must run with
// tests/console/engine.script (tests/console/run does all that); SHOTS is a folder for screenshots.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { api, ask, BASE, complete, go, log_in, open_browser, open_page } from "./browser.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SHOTS = process.env.SHOTS ?? "";
const BUDGET_BYTES = 80 * 1024;
const BUDGET_REQUESTS = 3;
const LIMIT = { timeout: 240_000 };

let browser;
before(async () => {
  assert.ok(BASE, "BASE_URL must name a running server");
  if (SHOTS) mkdirSync(SHOTS, { recursive: true });
  browser = await open_browser();
});
after(() => browser?.close());

async function shot(page, name) {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

// axe is evaluated through the debugger, which the page's content policy does not concern.
async function axe(page, where) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return result.violations
      .filter((v) => v.impact === "serious" || v.impact === "critical")
      .map((v) => `${v.id}: ${v.help} (${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")})`);
  });
  assert.deepEqual(found, [], `axe on ${where}`);
}

function no_trouble(trouble) {
  assert.deepEqual(trouble, []);
}

// First, while nothing has been asked yet.
test("the first load is small and stays at home", LIMIT, async () => {
  const { context, page, trouble, responses } = await open_page(browser, { login: false });
  await page.getByLabel("Key", { exact: true }).or(page.getByRole("navigation")).first().waitFor();
  const files = [];
  for (const response of responses) {
    const path = new URL(response.url()).pathname;
    if (path.startsWith("/admin/") || path === "/favicon.svg") continue;
    const sizes = await response.request().sizes();
    files.push({ path, bytes: sizes.responseBodySize, coding: response.headers()["content-encoding"] });
  }
  assert.ok(files.length <= BUDGET_REQUESTS, JSON.stringify(files));
  // An empty or placeholder page must not pass for a small one.
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  assert.ok(bytes > 10_000 && bytes <= BUDGET_BYTES, JSON.stringify(files));
  for (const file of files) assert.ok(file.coding === "br" || file.coding === "gzip", JSON.stringify(file));
  console.log(`first load: ${bytes} bytes in ${files.length} requests`);
  await log_in(page);
  await page.getByRole("heading", { name: /^Running/ }).waitFor();
  await shot(page, "overview-first-light");
  await go(page, "#/requests");
  await page.getByRole("heading", { name: "Requests", exact: true }).waitFor();
  await shot(page, "requests-first-light");
  no_trouble(trouble);
  await context.close();
});

test("the chat answers, with its numbers", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  await go(page, "#/chat");
  await ask(page, "List the ten largest files");
  const answer = page.getByRole("article", { name: /^Answer of/ });
  await answer.getByText("Sizes are in bytes.").waitFor();
  await answer.getByText("find . -type f").waitFor();
  // The reasoning is there and folded.
  assert.equal(await answer.getByText("They want a command").isVisible(), false);
  await answer.getByText("Reasoning").click();
  await answer.getByText("They want a command").waitFor();
  // The ledger's numbers, the prices elsewhere, and the way to the request.
  await answer.getByText(/^at claude-opus/).waitFor();
  const said = await answer.locator("dl").innerText();
  for (const word of ["in", "cached", "out", "tok/s", "first token", "$"]) assert.ok(said.includes(word), said);
  await answer.getByRole("link", { name: "request" }).click();
  await page.getByRole("heading", { name: "Its life" }).waitFor();
  // The conversation outlives a reload and a change of screens; a new chat ends it.
  await page.reload();
  await go(page, "#/chat");
  await answer.getByText("Sizes are in bytes.").waitFor();
  await page.getByRole("button", { name: "New chat" }).click();
  assert.equal(await answer.count(), 0);
  no_trouble(trouble);
  await context.close();
});

test("what the model writes in Markdown is shown as such, and never becomes a page", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  await go(page, "#/chat");
  await ask(page, "Show everything Markdown has");
  const answer = page.getByRole("article", { name: /^Answer of/ });
  const table = answer.getByRole("region", { name: "Table in the answer" });
  await table.getByRole("cell", { name: "2,000" }).waitFor();
  await answer.getByText(/^at claude-opus/).waitFor();
  assert.equal(await answer.locator("ol > li > ul > li").count(), 2);
  await answer.locator("blockquote strong").waitFor();
  const link = answer.getByRole("link", { name: "the docs" });
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  assert.equal(await link.getAttribute("target"), "_blank");
  assert.equal(await answer.locator("img, script").count(), 0);
  assert.equal(await answer.locator("a[href^='javascript']").count(), 0);
  await answer.getByText("<img src=x onerror=alert(1)>").waitFor();
  await shot(page, "chat-markdown-light");
  await axe(page, "an answer in Markdown");
  no_trouble(trouble);
  await context.close();
});

test("settings go with the message; messages are copied, changed and answered again", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: BASE });
  const bodies = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/v1/chat/completions")) bodies.push(request.postDataJSON());
  });
  await go(page, "#/chat");
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Instructions").fill("Be brief.");
  await page.getByLabel("Temperature").fill("0");
  await page.getByLabel("Longest answer").fill("400");
  await page.getByRole("button", { name: "Settings 3 changed" }).waitFor();
  await shot(page, "chat-settings-light");
  await axe(page, "the chat's settings");
  await page.getByRole("button", { name: "Settings 3 changed" }).click();
  await ask(page, "What is a context window?");
  const answers = page.getByRole("article", { name: /^Answer of/ });
  await answers.nth(0).getByText(/^at claude-opus/).waitFor();
  assert.deepEqual(bodies[0].messages[0], { role: "system", content: "Be brief." });
  assert.deepEqual([bodies[0].temperature, bodies[0].max_tokens, "top_p" in bodies[0], "seed" in bodies[0]], [0, 400, false, false]);

  await answers.nth(0).getByRole("button", { name: "Copy the answer" }).click();
  await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^A context window is/);
  // Where a page has no clipboard (plain HTTP from another machine) the older way copies.
  await page.evaluate(() => {
    const read = navigator.clipboard.readText.bind(navigator.clipboard);
    globalThis.read_clipboard = read;
    Object.defineProperty(navigator, "clipboard", { value: undefined });
  });
  await page.getByRole("button", { name: "Copy your message" }).click();
  await page.getByRole("article", { name: "You" }).getByText("Copied").first().waitFor();
  assert.equal(await page.evaluate(() => globalThis.read_clipboard()), "What is a context window?");

  await page.getByRole("button", { name: "Answer again" }).click();
  await page.waitForFunction(() => !document.querySelector("[aria-busy='true']"));
  assert.equal(bodies.length, 2);
  assert.deepEqual(bodies[1].messages, bodies[0].messages);
  await ask(page, "And then?");
  await answers.nth(1).getByText(/^at claude-opus/).waitFor();

  await page.getByRole("button", { name: "Edit" }).first().click();
  await page.getByText("The 3 messages below are dropped.").waitFor();
  const box = page.getByLabel("Your message", { exact: true });
  assert.ok(await box.evaluate((field) => field === document.activeElement));
  await box.press("Escape");
  assert.ok(await page.getByRole("button", { name: "Edit" }).first().evaluate((button) => button === document.activeElement));
  await page.getByRole("button", { name: "Edit" }).first().click();
  await box.fill("List the ten largest files");
  await shot(page, "chat-edit-light");
  await box.press("Enter");
  await page.getByText("Sizes are in bytes.").waitFor();
  assert.equal(await answers.count(), 1);
  assert.equal(bodies.at(-1).messages.length, 2);
  // Settings outlive a reload in this tab.
  await answers.nth(0).getByText(/^at claude-opus/).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Settings 3 changed" }).click();
  await page.getByRole("button", { name: "Back to the defaults" }).click();
  await page.getByRole("button", { name: "Settings", exact: true }).waitFor();
  no_trouble(trouble);
  await context.close();
});

test("an answer without words says so", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  await go(page, "#/chat");
  await ask(page, "Please say nothing");
  await page.getByText("The model ended without saying anything.").waitFor();
  no_trouble(trouble);
  await context.close();
});

test("stop ends the answer and the request", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  await go(page, "#/chat");
  await ask(page, "Go on without end");
  await page.getByText("until somebody stops it").first().waitFor();
  await page.getByRole("button", { name: /^Stop/ }).click();
  await page.getByText("Stopped. What was made").waitFor();
  await page.getByRole("article").getByRole("link", { name: "request" }).click();
  await page.getByText("client left").first().waitFor();
  no_trouble(trouble);
  await context.close();
});

test("what goes wrong is said in plain words", LIMIT, async () => {
  const { context, page } = await open_page(browser);
  await go(page, "#/chat");
  await ask(page, "This is too long to read");
  await page.getByText("longer than the model can read").waitFor();
  await page.getByRole("button", { name: "New chat" }).click();
  await ask(page, "Ask when all is busy");
  await page.getByText("its queue is full").waitFor();
  await page.getByRole("button", { name: "New chat" }).click();
  await ask(page, "Now break in the middle");
  await page.getByText("I was going to say something useful").waitFor();
  await page.getByText("worker failed").waitFor();
  await page.getByRole("button", { name: "Ask again" }).waitFor();
  await shot(page, "chat-failed-light");
  await context.close();
});

test("requests appear while they run, and one opens to its life", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  for (let i = 0; i < 3; i++) await complete(`Question ${i}`, { workload: i ? "docs" : "search" });
  await complete("Question", { dialect: "anthropic", workload: "docs" });
  await go(page, "#/requests");
  const rows = page.getByRole("region", { name: "Requests table" }).locator("tbody tr");
  await rows.nth(3).waitFor();

  const slow = complete("Go on without end", { workload: "live", max_tokens: 300 });
  const row = rows.filter({ hasText: "live" });
  await row.getByText(/answering|reading prompt/).waitFor();
  await slow;
  await row.getByText("length").waitFor();

  await page.getByLabel("Workload").selectOption("docs");
  await row.waitFor({ state: "detached" });
  assert.match(page.url(), /workload=docs/);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await row.waitFor();

  await row.getByRole("link").click();
  await page.getByRole("heading", { name: "Its life" }).waitFor();
  const stages = page.getByRole("region", { name: "Stages" });
  for (const name of ["received", "prepared", "admitted", "reading prompt", "answering", "ended", "settled"]) {
    await stages.getByText(name, { exact: true }).waitFor();
  }
  await page.getByText("anthropic/claude-opus-5-5").waitFor();
  no_trouble(trouble);
  await context.close();
});

test("the requests can be taken along as a file, and the failed ones picked out", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  await complete("Now break in the middle", { workload: "broken" });
  await go(page, "#/requests");
  const rows = page.getByRole("region", { name: "Requests table" }).locator("tbody tr");
  await rows.filter({ hasText: "broken" }).first().waitFor();
  const all = await rows.count();
  await page.getByRole("button", { name: "Failed only" }).click();
  await page.waitForFunction((before) => document.querySelectorAll("tbody tr").length < before, all);
  assert.match(page.url(), /failed=true/);
  const shown = await rows.count();
  const waiting = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download CSV" }).click();
  const download = await waiting;
  assert.equal(download.suggestedFilename(), "freehold-requests.csv");
  const lines = readFileSync(await download.path(), "utf8").trim().split("\r\n");
  assert.equal(lines.length, shown + 1);
  assert.ok(lines[0].startsWith("request_id,received,ended,state"), lines[0]);
  assert.ok(lines.slice(1).every((line) => /^req_/.test(line)), lines[1]);
  assert.ok(lines.some((line) => line.includes(",broken,")));
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.waitForFunction((before) => document.querySelectorAll("tbody tr").length >= before, all);
  no_trouble(trouble);
  await context.close();
});

test("usage by day is drawn, and leads to what is behind a day", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  await complete("Question", { workload: "drawn" });
  await go(page, "#/usage");
  await page.getByRole("img", { name: /^Tokens in/ }).waitFor();
  await page.getByText(/of the prompts came from the cache/).waitFor();
  await page.getByRole("button", { name: "7 days" }).click();
  assert.match(page.url(), /from=\d{4}-\d\d-\d\d/);
  assert.equal(await page.getByRole("button", { name: "7 days" }).getAttribute("aria-pressed"), "true");
  const table = page.getByRole("region", { name: "Usage table" });
  await table.getByRole("link").first().click();
  await table.getByRole("link", { name: "drawn" }).waitFor();
  assert.match(page.url(), /by=workload/);
  // One key's use alone: this machine's own is not that of the key that the test asks with.
  await page.getByLabel("Key").selectOption("local");
  await table.getByRole("link", { name: "console" }).waitFor();
  assert.equal(await table.getByRole("link", { name: "drawn" }).count(), 0);
  no_trouble(trouble);
  await context.close();
});

test("a model has a page, and one that is not here is said not to be", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  await page.getByRole("heading", { name: /^Running/ }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await page.getByRole("heading", { name: "Models", exact: true }).waitFor();
  await page.getByText("freehold models import ./model.gguf").waitFor();
  await page.getByRole("link", { name: "scripted" }).click();
  await page.getByRole("heading", { name: "How it runs" }).waitFor();
  await page.getByText("8,192 tokens").waitFor();
  await page.getByText("more than this model's window").waitFor();
  await shot(page, "model-light");
  await page.getByRole("link", { name: "Chat with it" }).click();
  await page.getByLabel("Message", { exact: true }).waitFor();
  assert.equal(await page.getByLabel("Model").inputValue(), "scripted");
  await go(page, "#/models/none");
  await page.getByRole("heading", { name: "There is no such model" }).waitFor();
  no_trouble(trouble);
  await context.close();
});

// Facts that a scripted model has not: what the server would say of a real one.
function with_facts(status) {
  const facts = {
    display_name: "SmolLM2 135M Instruct", sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size_bytes: 97_848_736, architecture: "llama", context_length: 8192, parameters: 134_515_008, quantization: "Q4_1",
    kv_bytes_per_token: 23_040, tools_in_template: false, licence: "Apache-2.0", republisher: "a packager", source: "/srv/models/a-long-folder/smollm2.gguf",
    served_context_tokens: 8192, fits: "yes", fit_text: "needs 0.6 GB of 25.3 GB",
  };
  const model = { ...status.models[0], id: "smollm2-135m", facts };
  return {
    ...status,
    models: [
      model,
      { ...model, id: "a-model-with-a-very-long-name-that-somebody-gave-it-q4_k_m", aliases: ["x", "another-alias"], state: "stopped", context_tokens: 131072, restarts: 1,
        facts: { ...facts, fits: "tight", context_length: 262144 } },
      { ...model, id: "broken", aliases: [], state: "failed", detail: "exit code 1: the file cannot be read", facts: { ...facts, fits: "no" } },
    ],
  };
}

test("what is wrong with the server is said on every screen, and models tell their facts", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  const status = await (await api("/admin/v1/status")).json();
  const sick = { ...with_facts(status), ledger_healthy: false };
  await page.route("**/admin/v1/live", (route) =>
    route.fulfill({ contentType: "text/event-stream", body: `event: status\ndata: ${JSON.stringify(sick)}\n\n` }));
  await page.route("**/admin/v1/status", (route) => route.fulfill({ json: sick }));
  await go(page, "#/keys");
  await page.reload();
  await page.getByText("The ledger cannot be written, so new requests are refused.").waitFor();
  await go(page, "#/models");
  await page.getByText("exit code 1: the file cannot be read").waitFor();
  await page.getByText("worker restarted 1 time", { exact: true }).waitFor();
  await shot(page, "models-sick-light");
  await axe(page, "models in every state");
  await page.getByRole("link", { name: /^a-model-with/ }).click();
  await page.getByText("131,072 tokens, of the model's own 262,144").waitFor();
  await page.getByText("CLAUDE_CODE_MAX_CONTEXT_TOKENS=131072").waitFor();
  await page.getByText("by Freehold's generic format").waitFor();
  await page.getByRole("button", { name: "Copy the SHA-256" }).waitFor();
  await shot(page, "model-facts-light");
  await axe(page, "a model's page");
  no_trouble(trouble);
  await context.close();
});

test("nothing is wider than a telephone", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser, { width: 390, height: 844 });
  const id = await complete("Explain it", { workload: "a-workload-with-a-rather-long-name-of-many-letters" });
  for (const hash of ["#/", "#/chat", "#/models", "#/models/scripted", "#/requests", `#/requests/${id}`, "#/keys", "#/usage", "#/usage?by=workload", "#/plan"]) {
    await go(page, hash);
    await page.getByRole("heading", { level: 1 }).first().waitFor({ state: "attached" });
    await page.waitForFunction(() => !document.querySelector("main [role='status']")?.textContent?.match(/…$/));
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll("body, main, main > *")].filter((each) => each.scrollWidth > innerWidth).map((each) => each.className || each.tagName));
    assert.deepEqual(wide, [], hash);
    await shot(page, `narrow-${hash.replace(/\W+/g, "-")}`);
    assert.ok(await page.getByRole("button", { name: /^Theme/ }).isVisible(), "the theme can be chosen");
    await page.getByRole("navigation", { name: "Screens" }).locator("[aria-current]").waitFor();
  }
  no_trouble(trouble);
  await context.close();
});

test("the keyboard is enough", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  await page.getByRole("heading", { name: /^Running/ }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.getByRole("heading", { name: "Requests", exact: true }).waitFor();
  await page.keyboard.press("/");
  const search = page.getByLabel("Search the loaded requests");
  assert.ok(await search.evaluate((field) => field === document.activeElement));
  await page.keyboard.type("gr live"); // letters typed into a field go nowhere else
  assert.equal(await search.inputValue(), "gr live");
  await search.fill("live");
  await page.getByText(/1 shown of/).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Its life" }).waitFor();
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard" });
  await help.waitFor();
  await shot(page, "help-light");
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press("Tab"); // the focus stays in the dialog, or goes to the browser, never behind
    assert.ok(await page.evaluate(() => !document.activeElement?.closest("main, header nav")));
  }
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
  await page.keyboard.press("g");
  await page.keyboard.press("k");
  await page.getByRole("heading", { name: "Keys", exact: true }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await page.getByLabel("Message", { exact: true }).waitFor();
  no_trouble(trouble);
  await context.close();
});

test("a key is shown once, works, and is revoked", LIMIT, async () => {
  const { context, page, trouble } = await open_page(browser);
  const name = `console-test-${Date.now()}`;
  await go(page, "#/keys");
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await shot(page, "keys-new-light");
  await dialog.getByRole("button", { name: "Create" }).click();
  const key = await dialog.getByLabel("The new key").innerText();
  assert.match(key, /^fh-[0-9A-Za-z]{43}$/);
  await axe(page, "the new key's dialog");
  await dialog.getByRole("button", { name: "I have stored it" }).click();
  await page.getByRole("link", { name }).waitFor();
  assert.equal((await page.content()).includes(key), false, "the key is still in the page");
  const as_key = { headers: { authorization: `Bearer ${key}` } };
  assert.equal((await api("/v1/models", as_key)).status, 200);

  await page.getByRole("button", { name: `Revoke ${name}` }).click();
  await dialog.getByText("refused from their next request on").waitFor();
  await shot(page, "keys-revoke-light");
  await axe(page, "the revoke dialog");
  await dialog.getByRole("button", { name: `Revoke ${name}` }).click();
  await page.getByRole("link", { name }).waitFor({ state: "detached" });
  assert.equal((await api("/v1/models", as_key)).status, 401);
  await page.getByRole("checkbox", { name: /show \d+ revoked/ }).check();
  await page.getByRole("row", { name: new RegExp(name) }).getByText(/revoked/).waitFor();
  no_trouble(trouble);
  await context.close();
});

test("a member's key opens the chat and nothing else", LIMIT, async () => {
  const made = await api("/admin/v1/keys", {
    method: "POST",
    body: JSON.stringify({ name: `member-${Date.now()}`, role: "member" }),
  });
  const { key, record } = await made.json();
  const { context, page } = await open_page(browser, { login: false });
  // The page's own login on this machine may answer after ours; then ours is made once more.
  for (let round = 0; round < 5; ++round) {
    await page.evaluate(async (with_key) => {
      await fetch("/admin/v1/session", { method: "POST", body: JSON.stringify({ key: with_key }) });
    }, key);
    await page.reload();
    await page.getByRole("navigation", { name: "Screens" }).waitFor();
    if ((await page.getByRole("navigation").getByRole("link").count()) === 1) break;
  }
  assert.equal(await page.getByRole("navigation").getByRole("link").count(), 1);
  await ask(page, "What is a context window?");
  await page.getByText("writes the next token").waitFor();
  await page.getByText("first token", { exact: true }).waitFor();
  assert.deepEqual(await page.getByRole("combobox", { name: "Model" }).locator("option").allTextContents(), ["scripted"]);

  // The list of models is first refused, then slow. What is sent before it is there is sent when it is.
  await page.getByRole("button", { name: "New chat" }).click();
  await page.evaluate(() => sessionStorage.clear());
  let lists = 0;
  let let_go;
  const held = new Promise((resolve) => (let_go = resolve));
  await page.route("**/v1/models", async (route) => {
    if (++lists === 1) return route.abort();
    await held;
    return route.continue();
  });
  await page.reload();
  await page.getByText("This did not work").waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await ask(page, "What is a context window?");
  await page.getByRole("button", { name: "Waiting…" }).waitFor();
  assert.equal(await page.getByText("writes the next token").count(), 0);
  let_go();
  await page.getByText("writes the next token").waitFor();
  assert.equal(await page.getByLabel("Message", { exact: true }).inputValue(), "");
  await api(`/admin/v1/keys/${record.id}`, { method: "DELETE" });
  await context.close();
});

test("a server that is gone is said to be gone", LIMIT, async () => {
  const { context, page } = await open_page(browser);
  await page.getByRole("heading", { name: /^Running/ }).waitFor();
  // The stream that is open now cannot be cut from here, so the page begins again without one.
  await page.route("**/admin/v1/live", (route) => route.abort());
  await go(page, "#/usage");
  await page.evaluate(() => sessionStorage.setItem("x", "y"));
  await page.reload();
  await page.getByRole("navigation", { name: "Screens" }).waitFor();
  await page.route("**/admin/v1/**", (route) => route.abort());
  await page.getByText("The server does not answer.").waitFor();
  await shot(page, "offline-light");
  await page.unrouteAll();
  await page.getByRole("button", { name: "Try now" }).click();
  await page.getByText("The server does not answer.").waitFor({ state: "hidden" });
  // A page has its heading also where there is nothing to show.
  await page.route("**/admin/v1/requests/**", (route) => route.abort());
  await go(page, "#/requests/req_none");
  await page.getByText("This did not work").waitFor();
  await page.getByRole("heading", { name: "Request", exact: true, level: 1 }).waitFor();
  await context.close();
});

for (const dark of [false, true]) {
  const look = dark ? "dark" : "light";
  test(`axe finds nothing serious on any screen, ${look}`, LIMIT, async () => {
    const { context, page, trouble } = await open_page(browser, { dark });
    const id = await complete("Explain it", { workload: "docs" });
    const screens = [
      ["overview", "#/", page.getByRole("region", { name: "Models", exact: true })],
      ["requests", "#/requests", page.getByRole("region", { name: "Requests table" }).locator("tbody tr a").first()],
      ["requests-nothing", "#/requests?q=nothinghere", page.getByText("No loaded request contains")],
      ["request", `#/requests/${id}`, page.getByRole("heading", { name: "Its life" })],
      ["request-missing", "#/requests/req_none", page.getByText("There is no such request")],
      ["keys", "#/keys", page.getByRole("button", { name: "Revoke admin" })],
      ["models", "#/models", page.getByRole("heading", { name: "Bring in another" })],
      ["usage-day", "#/usage", page.getByRole("img", { name: /^Tokens in/ })],
      ["usage", "#/usage?by=workload", page.getByRole("region", { name: "Usage table" })],
      ["chat-empty", "#/chat", page.getByText(/^Ask .* something/)],
    ];
    for (const [name, hash, sign] of screens) {
      await go(page, hash);
      await sign.waitFor();
      await shot(page, `${name}-${look}`);
      await axe(page, `${name}, ${look}`);
    }
    await ask(page, "List the ten largest files");
    await page.getByText(/^at claude-opus/).waitFor();
    await shot(page, `chat-${look}`);
    await axe(page, `chat, ${look}`);
    await page.setViewportSize({ width: 420, height: 800 });
    await go(page, "#/");
    await page.getByRole("region", { name: "Models", exact: true }).waitFor();
    await shot(page, `overview-narrow-${look}`);
    no_trouble(trouble);
    await context.close();
  });
}

test("the login form says what is wrong and lets in", LIMIT, async () => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 } });
  const page = await context.newPage();
  // A machine that is let in by itself never sees the form: here the knock is turned away.
  await page.route("**/admin/v1/session", async (route) => {
    const body = route.request().postData() ?? "";
    if (route.request().method() === "GET" || body === "{}") {
      await route.fulfill({ status: 401, json: { error: { code: "unauthenticated", message: "log in with a key" } } });
    } else {
      await route.continue();
    }
  });
  await page.goto(`${BASE}/`);
  await page.getByLabel("Key", { exact: true }).fill("fh-wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("This key is not valid").waitFor();
  await shot(page, "login-light");
  await axe(page, "login");
  await page.unrouteAll();
  await log_in(page);
  await context.close();
});
