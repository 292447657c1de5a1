// The page in a real browser, from a file: address. SHOTS is a folder for screenshots and the printed PDF.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { open_browser } from "../console/browser.mjs";
import { FOLDER, plan, plan_json } from "./plan.mjs";

const AXE = readFileSync(
  createRequire(new URL("../console/package.json", import.meta.url)).resolve("axe-core/axe.min.js"),
  "utf8",
);
const SHOTS = process.env.SHOTS ?? "";
const LIMIT = { timeout: 240_000 };
const PATIENCE_MS = 60_000;

let browser;
let html;
let file;
before(async () => {
  if (SHOTS) mkdirSync(SHOTS, { recursive: true });
  plan("--html", join(FOLDER, "plan.html"));
  html = readFileSync(join(FOLDER, "plan.html"), "utf8");
  file = plan_json();
  browser = await open_browser();
});
after(() => browser?.close());

// The page with other data in it.
function with_data(name, data) {
  const text = typeof data === "string" ? data : JSON.stringify(data).replaceAll("<", "\\u003c");
  const path = join(FOLDER, `${name}.html`);
  writeFileSync(path, html.replace(/(id="plan-data">)[^<]*/, (_, head) => head + text));
  return path;
}

async function open(path, { dark = false, width = 1400, height = 950, hash = "" } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    offline: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const address = pathToFileURL(path).href;
  const trouble = [];
  page.on("request", (request) => {
    const url = request.url().split("#")[0];
    if (url !== address && !url.startsWith("data:")) trouble.push(`request to ${url}`);
  });
  page.on("pageerror", (error) => trouble.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) trouble.push(message.text());
  });
  await page.goto(address + hash);
  return { context, page, trouble };
}

const verdict = (page) => page.locator("#verdict");

async function axe(page, where) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return result.violations.map((v) => `${v.id}: ${v.help} (${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")})`);
  });
  assert.deepEqual(found, [], `axe on ${where}`);
}

test("it says the answer first, and that it is an example", LIMIT, async () => {
  const { context, page, trouble } = await open(join(FOLDER, "plan.html"));
  assert.equal(await verdict(page).innerText(), file.verdict.headline);
  await page.getByText("This is an example, not your company.").waitFor();
  for (const reason of file.verdict.reasons) await page.getByText(reason, { exact: true }).waitFor();
  const table = await page.getByRole("region", { name: "The four ways, table" }).innerText();
  for (const option of file.options.filter((each) => each.available)) {
    assert.ok(table.includes(Math.round(option.npv_usd).toLocaleString("en-US")), `${option.option}: ${table}`);
  }
  // Every input stands there with where it comes from.
  assert.equal(await page.locator("#inputs input").count() > 40, true);
  assert.deepEqual(trouble, []);
  await context.close();
});

for (const dark of [false, true]) {
  test(`nothing stands in the way of anybody, ${dark ? "dark" : "light"}`, LIMIT, async () => {
    const { context, page, trouble } = await open(join(FOLDER, "plan.html"), { dark });
    await verdict(page).waitFor();
    for (const details of await page.locator("details.more").all()) await details.evaluate((d) => (d.open = true));
    await axe(page, dark ? "the dark page" : "the light page");
    if (SHOTS) {
      await page.evaluate(() => document.querySelectorAll("details.more").forEach((d) => (d.open = false)));
      const name = dark ? "dark" : "light";
      await page.screenshot({ path: `${SHOTS}/page-${name}.png` });
      await page.screenshot({ path: `${SHOTS}/page-${name}-full.png`, fullPage: true });
    }
    assert.deepEqual(trouble, []);
    await context.close();
  });
}

test("a slider recomputes at once, by keyboard and by pointer", LIMIT, async (t) => {
  const { context, page, trouble } = await open(join(FOLDER, "plan.html"));
  const before_text = await page.getByRole("region", { name: "The four ways, table" }).innerText();
  const slider = page.getByRole("slider", { name: "Cost of an engineer" });
  await slider.focus();
  for (let i = 0; i < 8; ++i) await page.keyboard.press("ArrowLeft");
  const value = Number(await slider.inputValue());
  const was = file.inputs.find((input) => input.name === "staff_usd_year").value;
  assert.equal(value, was - 8 * 5000);
  assert.notEqual(await page.getByRole("region", { name: "The four ways, table" }).innerText(), before_text);
  await page.getByText("With 1 input changed here").waitFor();
  // From the event to the page being up to date again, as the person at the slider waits.
  const times = await page.evaluate(async () => {
    const slider = document.getElementById("lever-wacc");
    const out = [];
    for (let i = 0; i < 20; ++i) {
      const began = performance.now();
      slider.value = String(0.04 + i / 200);
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      await Promise.resolve();
      document.body.offsetHeight; // layout, too
      out.push(performance.now() - began);
      await new Promise((go) => setTimeout(go, 20));
    }
    return out.sort((a, b) => a - b);
  });
  t.diagnostic(`slider to page: median ${times[10].toFixed(0)} ms, worst ${times[19].toFixed(0)} ms`);
  // The pointer moves the same slider.
  const box = await slider.boundingBox();
  await page.mouse.click(box.x + box.width * 0.9, box.y + box.height / 2);
  assert.ok(Number(await slider.inputValue()) > 400_000);
  // Undo puts back what the plan said.
  await page.getByRole("button", { name: /^Undo 2 changes/ }).click();
  assert.equal(await page.getByRole("region", { name: "The four ways, table" }).innerText(), before_text);
  assert.deepEqual(trouble, []);
  await context.close();
});

test("the months stand in a table that follows the sliders", LIMIT, async () => {
  const { context, page, trouble } = await open(join(FOLDER, "plan.html"));
  const whole = (usd) => Math.round(Math.abs(usd) < 0.5 ? 0 : usd).toLocaleString("en-US").replace("-", "−");
  const horizon = file.inputs.find((input) => input.name === "horizon_months").value;
  for (const way of ["hybrid", "stay"]) {
    await page.getByRole("group", { name: "Way, month by month" }).getByRole("button", { name: way }).click();
    const { title, months } = file.options.find((each) => each.option === way);
    const table = page.getByRole("region", { name: `Month by month: ${title}` }).getByRole("table");
    // The tables of years speak of the same way.
    await page.getByRole("region", { name: `Cost by year: ${title}` }).waitFor();
    assert.equal(await table.locator("tbody tr").count(), horizon + 1);
    assert.ok((await table.locator("caption").innerText()).toLowerCase().startsWith(title.toLowerCase()));
    assert.equal(await table.locator("thead th:not([scope=col]), tbody th:not([scope=row])").count(), 0);
    const heads = await table.locator("thead th").allInnerTexts();
    const cell = async (row, head) => (await row.locator("th, td").allInnerTexts())[heads.indexOf(head)];
    for (const month of [0, 1, 7, horizon]) {
      const row = table.locator("tbody tr").nth(month);
      assert.equal(await cell(row, "Month"), String(month));
      assert.equal(await cell(row, way === "stay" ? "API bill" : "API bill left"), whole(months.api_cash[month]));
      assert.equal(await cell(row, "Cash out"), whole(months.cash[month]));
      assert.equal(await cell(row, "Cash out so far"), whole(months.cum_cash[month]));
      assert.equal(await cell(row, "Cost in the income statement"), whole(months.pnl[month]));
    }
    const total = table.locator("tfoot tr");
    const sum = (column) => column.reduce((a, b) => a + b, 0);
    assert.equal(await cell(total, "Cash out"), whole(sum(months.cash)));
    assert.equal(await cell(total, "Cost in the income statement"), whole(sum(months.pnl)));
    assert.equal(await cell(total, "Cash out so far"), "–");
  }
  // Half of the discount's bill is left, and the months after a shorter horizon go.
  const rows = page.locator(".months tbody tr");
  const before_text = await rows.nth(7).innerText();
  await page.getByLabel("Your discount on list price, number").fill("50");
  await page.keyboard.press("Tab");
  await page.waitForFunction((text) => document.querySelectorAll(".months tbody tr")[7].innerText !== text, before_text);
  const stay = file.options[0].months;
  assert.ok((await rows.nth(7).innerText()).includes(whole(stay.api_cash[7] / 2)), await rows.nth(7).innerText());
  await page.getByLabel("Horizon, number").fill("24");
  await page.keyboard.press("Tab");
  await page.waitForFunction(() => document.querySelectorAll(".months tbody tr").length === 25);
  assert.deepEqual(trouble, []);
  await context.close();
});

test("where the answer is said to turn, it turns", LIMIT, async () => {
  const { context, page, trouble } = await open(join(FOLDER, "plan.html"));
  const flips = file.sensitivity.flips.filter((flip) => flip.found && flip.value !== null);
  assert.ok(flips.length > 0, "the example has no turning point");
  for (const flip of flips.slice(0, 3)) {
    const field = page.locator(`#input-${flip.input}`);
    const unit = flip.unit.startsWith("share") ? 100 : 1;
    // Just past it, away from where it is now.
    const value = (flip.value + (flip.value - flip.now) * 0.02) * unit;
    await field.fill(String(value));
    await field.press("Tab");
    await page.locator(".levers .now").getByText(flip.to, { exact: true }).waitFor();
    await page.getByRole("button", { name: /^Undo/ }).click();
  }
  assert.deepEqual(trouble, []);
  await context.close();
});

test("the address keeps what was changed; contradictions are said", LIMIT, async () => {
  const { context, page, trouble } = await open(join(FOLDER, "plan.html"), { hash: "#wacc=0.11&nonsense=3&pue=x" });
  assert.equal(await page.getByLabel("Cost of capital, number").inputValue(), "11");
  await page.getByText("With 1 input changed here").waitFor();
  await page.getByLabel("Horizon, number").fill("60");
  await page.keyboard.press("Tab");
  await page.getByRole("alert").getByText("must not be longer than the life of the hardware").first().waitFor();
  await page.locator("#input-depreciation_years").fill("5");
  await page.keyboard.press("Tab");
  await page.getByRole("alert").waitFor({ state: "detached" });
  await page.waitForFunction(() => location.hash.includes("horizon_months=60"));
  await page.reload();
  assert.equal(await page.getByLabel("Horizon, number").inputValue(), "60");
  assert.deepEqual(trouble, []);
  await context.close();
});

test("the keyboard reads the cash chart", LIMIT, async () => {
  const { context, page } = await open(join(FOLDER, "plan.html"));
  const chart = page.getByRole("slider", { name: "Month of the cash chart" });
  await chart.focus();
  await page.keyboard.press("Home");
  for (let i = 0; i < 3; ++i) await page.keyboard.press("ArrowRight");
  assert.equal(await chart.getAttribute("aria-valuenow"), "3");
  const stay = file.options[0].months.cum_cash[3];
  await page.getByText(`$${Math.round(stay).toLocaleString("en-US")}`).first().waitFor();
  await context.close();
});

test("without an explained bill there is no advice", LIMIT, async () => {
  const gap = structuredClone(file);
  gap.inputs.find((input) => input.name === "unexplained_share").value = 0.21;
  gap.reconciliation.advice_allowed = false;
  gap.reconciliation.unexplained_share = 0.21;
  gap.reconciliation.summary = "21 % of the bill is not explained by the usage.";
  const { context, page, trouble } = await open(with_data("gap", gap));
  await page.getByRole("heading", { name: "No advice yet: 21.0 % of the bill is not explained (limit 3.0 %)." }).waitFor();
  assert.equal(await page.getByRole("heading", { name: "The four ways" }).count(), 0);
  await axe(page, "the refusal");
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/page-refused.png`, fullPage: true });
  await page.getByRole("button", { name: "Show the comparison despite the gap" }).click();
  await page.getByRole("heading", { name: "The four ways" }).waitFor();
  assert.deepEqual(trouble, []);
  await context.close();
});

test("a plan for which no machine was found says so", LIMIT, async () => {
  const bare = structuredClone(file);
  for (const way of ["own", "hybrid", "rent"]) bare.inputs.find((input) => input.name === `${way}_nodes_min`).value = 0;
  for (const option of bare.options) option.machines = null;
  bare.usage = { ...bare.usage, days: 0, days_active: 0, workloads: [], days_by_workload: [] };
  bare.considered = [];
  bare.prices = [];
  const { context, page, trouble } = await open(with_data("bare", bare));
  await page.getByRole("heading", { name: "Stay on the API: no machine was found that carries this work." }).waitFor();
  await axe(page, "a plan without machines");
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/page-bare.png` });
  assert.deepEqual(trouble, []);
  await context.close();
});

test("a file without a plan says what to do", LIMIT, async () => {
  for (const data of ["{", "{}", '{"schema":"freehold.plan/2"}']) {
    const { context, page, trouble } = await open(with_data("empty", data));
    await page.getByRole("heading", { name: "This page holds no plan" }).waitFor();
    await page.getByText("freehold plan --html plan.html").waitFor();
    assert.deepEqual(trouble, []);
    await context.close();
  }
});

test("what is in the data cannot become part of the page", LIMIT, async () => {
  const hostile = structuredClone(file);
  hostile.evidence = '</script><img src=x onerror="window.bad=1"><!--\u2028';
  hostile.usage.workloads[0].name = "<b onclick=1>w</b>";
  hostile.sources[0].address = "javascript:window.bad=1";
  const { context, page } = await open(with_data("hostile", hostile));
  await page.getByText('from </script><img src=x onerror="window.bad=1">').first().waitFor();
  assert.equal(await page.evaluate(() => globalThis.bad), undefined);
  assert.equal(await page.locator("a[href^='javascript']").count(), 0);
  await context.close();
});

test("it prints and fits a telephone", LIMIT, async () => {
  const { context, page, trouble } = await open(join(FOLDER, "plan.html"));
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("#lever-wacc").isVisible(), false);
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  // All months are on paper, not only those in sight.
  assert.ok(await page.evaluate(() => {
    const box = document.querySelector(".months .scroll");
    return box.scrollHeight <= box.clientHeight + 1;
  }), "months are cut off on paper");
  const stuck = await page.evaluate(() =>
    [...document.querySelectorAll(".plan th, .plan td")].filter((cell) => getComputedStyle(cell).position === "sticky").length);
  assert.equal(stuck, 0, "cells that stay in sight on a screen stand over others on paper");
  assert.ok(pages >= 3 && pages <= 16, `${pages} pages`);
  if (SHOTS) writeFileSync(`${SHOTS}/plan.pdf`, pdf);
  await page.emulateMedia({ media: "screen" });
  await page.setViewportSize({ width: 400, height: 800 });
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${over} px too wide`);
  // A column that is too narrow for a word makes a page of letters.
  const tall = await page.evaluate(() => Math.max(...[...document.querySelectorAll("tr")].map((row) => row.clientHeight)));
  assert.ok(tall <= 420, `a row is ${tall} px high`);
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/page-phone.png` });
  assert.deepEqual(trouble, []);
  await context.close();
});
