// The plan's screen in the console, against a server without usage of its own: it shows the example. BASE_URL and
// ADMIN_KEY name the server (tests/plan_page/run starts one); SHOTS is a folder for screenshots.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { api, go, open_browser, open_page } from "../console/browser.mjs";
import { plan_json } from "./plan.mjs";

const AXE = readFileSync(
  createRequire(new URL("../console/package.json", import.meta.url)).resolve("axe-core/axe.min.js"),
  "utf8",
);
const SHOTS = process.env.SHOTS ?? "";
const LIMIT = { timeout: 240_000 };

let browser;
before(async () => {
  if (SHOTS) mkdirSync(SHOTS, { recursive: true });
  browser = await open_browser();
});
after(() => browser?.close());

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

test("the endpoint gives the plan that the command gives", LIMIT, async () => {
  const response = await api("/admin/v1/plan");
  assert.equal(response.status, 200);
  const found = await response.json();
  const wanted = plan_json();
  assert.equal(found.schema, "freehold.plan/1");
  assert.deepEqual(found.verdict, wanted.verdict);
  assert.deepEqual(found.inputs, wanted.inputs);
  assert.equal((await fetch(`${process.env.BASE_URL}/admin/v1/plan`, { headers: { "sec-fetch-site": "cross-site" } })).ok, false);
});

for (const dark of [false, true]) {
  test(`the screen shows the example and recomputes, ${dark ? "dark" : "light"}`, LIMIT, async () => {
    const { context, page, trouble, responses } = await open_page(browser, { dark });
    await page.getByRole("heading", { name: /^Running/ }).waitFor();
    assert.equal(responses.some((response) => /Plan-.*\.js/.test(response.url())), false, "the plan is in the first load");
    // `g p`, as the help says.
    await page.keyboard.press("g");
    await page.keyboard.press("p");
    await page.getByText("This is an example, not your company.").waitFor();
    assert.equal(await page.locator("#verdict").innerText(), plan_json().verdict.headline);
    await axe(page, "the plan's screen");
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/console-plan-${dark ? "dark" : "light"}.png` });
    await page.getByRole("slider", { name: "Cost of capital" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.getByText("With 1 input changed here").waitFor();
    await page.waitForFunction(() => location.hash.includes("wacc="));
    // The same link shows the same; the chart's link to the inputs leaves the screen alone.
    await page.reload();
    await page.getByText("With 1 input changed here").waitFor();
    await page.getByRole("link", { name: "All inputs" }).click();
    assert.ok(page.url().includes("#/plan?wacc="));
    await page.getByRole("button", { name: /^Undo 1 change/ }).click();
    await page.waitForFunction(() => !location.hash.includes("wacc="));
    assert.deepEqual(trouble, []);
    await context.close();
  });
}

test("a plan that cannot be made is said", LIMIT, async () => {
  const { context, page } = await open_page(browser);
  const fail = (status, code, message) =>
    page.route("**/admin/v1/plan", (route) =>
      route.fulfill({ status, json: { error: { code, message, hint: "ask again", field: "" } } }),
    );
  await fail(404, "not_found", "there is no usage to plan on");
  await go(page, "#/plan");
  await page.getByRole("heading", { name: "There is nothing to plan on yet" }).waitFor();
  await page.unroute("**/admin/v1/plan");
  await fail(500, "internal", "the archive cannot be read");
  await go(page, "#/usage");
  await go(page, "#/plan");
  await page.getByText("the archive cannot be read").waitFor();
  await page.unroute("**/admin/v1/plan");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("#verdict").waitFor();
  await context.close();
});
