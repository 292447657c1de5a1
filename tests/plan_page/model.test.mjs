// The page's model against the program's: the same scenario must give the same money, to one cent, the same draws and
// the same words.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { FOLDER, plan_json } from "./plan.mjs";

const model = await import(pathToFileURL(join(FOLDER, "model", "compute.js")));
const CENT = 0.01;
const SCENARIOS = Number(process.env.SCENARIOS ?? 40);
const LIMIT = { timeout: 600_000 };

// Numbers that can be drawn again with the same seed.
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function close(found, wanted, what, within = CENT) {
  if (wanted === null) wanted = 9999; // a month that never comes
  assert.ok(Math.abs(found - wanted) <= within, `${what}: page ${found}, program ${wanted}`);
}

function compare_option(found, wanted, spread) {
  const name = wanted.option;
  assert.equal(found.available, wanted.available, name);
  assert.equal(found.qualifies, wanted.qualifies, `${name} qualifies`);
  for (const key of ["cash_usd", "pnl_usd", "npv_usd", "fleet_npv_usd", "saved_npv_usd", "break_even_month"]) {
    close(found[key], wanted[key], `${name}.${key}`);
  }
  for (const [key, value] of Object.entries(wanted.all_in_month)) close(found.all_in[key], value, `${name}.all_in.${key}`);
  for (const [key, value] of Object.entries(wanted.bill_month)) close(found.bill_month[key], value, `${name}.bill_month.${key}`);
  for (const [key, column] of Object.entries(wanted.months)) {
    assert.equal(column.length, found.months.length);
    column.forEach((value, month) => {
      assert.ok(key in found.months[month], `the page has no column ${key}`);
      close(found.months[month][key], value, `${name}.${key}[${month}]`);
    });
  }
  const sampled = wanted.sampled;
  for (const p of ["p10", "p50", "p90"]) {
    close(spread.month[p], sampled[`break_even_${p}`], `${name} break-even ${p}`);
    close(spread.saved[p], sampled[`saved_${p}_usd`], `${name} saved ${p}`);
  }
  close(spread.share_best, sampled.share_best, `${name} share_best`, 1e-12);
  close(spread.share_break_even, sampled.share_break_even, `${name} share_break_even`, 1e-12);
}

function compare(file) {
  const found = model.answer_of(file, file.inputs);
  assert.deepEqual(model.check(file.inputs), []);
  for (const option of file.options) compare_option(found.money.options[option.option], option, found.spread[option.option]);
  assert.equal(found.focus, file.sensitivity.focus);
  assert.equal(found.tornado.length, file.sensitivity.tornado.length);
  let widest = Infinity;
  file.sensitivity.tornado.forEach((bar, i) => {
    const own = found.tornado.find((each) => each.input === bar.input);
    assert.ok(own, `${bar.input} is not in the page's tornado`);
    close(own.saved_at_low, bar.saved_at_low, bar.input);
    close(own.saved_at_high, bar.saved_at_high, bar.input);
    assert.equal(own.best_at_low, bar.best_at_low);
    assert.equal(own.best_at_high, bar.best_at_high);
    // Largest first; which of two equal ones stands before the other hangs on the last digits.
    const width = Math.abs(found.tornado[i].saved_at_high - found.tornado[i].saved_at_low);
    assert.ok(width <= widest + CENT, `tornado ${i} is out of order`);
    widest = width;
  });
  assert.equal(found.flips.length, file.sensitivity.flips.length);
  file.sensitivity.flips.forEach((flip, i) => {
    const own = found.flips[i];
    assert.equal(own.input, flip.input);
    assert.equal(own.found, flip.found, flip.input);
    assert.equal(own.to, flip.to, flip.input);
    if (flip.found) close(own.value, flip.value, flip.input, Math.max(1e-9, Math.abs(flip.value) * 1e-9));
    assert.equal(own.reading, flip.reading);
  });
  assert.deepEqual(found.verdict, { ...file.verdict });
  assert.equal(found.readiness.summary, file.readiness.summary);
  assert.deepEqual(found.readiness.questions, file.readiness.questions);
}

const SECTIONS = ["bill", "api", "account", "hardware", "site", "staff", "move", "own", "hybrid", "rent"];

// Values of some inputs, anywhere between their range's ends and somewhat beyond, within what may be written.
function scenario(file, next) {
  const values = new Map();
  const of = (name) => values.get(name) ?? file.inputs.find((input) => input.name === name).value;
  const draws = {
    api_price_factor: [0.5, 8],
    commitment_usd_month: [0, 40_000],
    commitment_months: [0, 24],
    credits_usd: [0, 200_000],
    despite_gap: [0, 1],
    negotiated_discount: [0, 0.5],
    scheduled_from_month: [0, 30],
    scheduled_price_factor: [0.5, 2],
    seats_usd_month: [0, 8_000],
    on_call_usd_month: [0, 9_000],
    room_once_usd: [0, 200_000],
    room_usd_month: [0, 5_000],
    software_usd_gpu_year: [0, 4_500],
    unexplained_share: [0, 0.06],
    outage_usd_hour: [0, 200],
    own_spare_nodes: [0, 1],
    own_nodes_min: [0, 3],
    hybrid_nodes_min: [0, 2],
    hybrid_spills: [0, 1],
    own_spills: [0, 1],
  };
  const whole = /months|from_month|spills|despite_gap|nodes_min|spare_nodes|lead_months|gpus_per_node/;
  for (const input of file.inputs) {
    if (next() < 0.45) continue;
    let [low, high] = draws[input.name] ?? [input.low, input.high];
    if (!(low < high)) [low, high] = [input.value * 0.6, input.value * 1.4];
    const wide = (high - low) * 0.2;
    let value = low - wide + next() * (high - low + 2 * wide);
    value = Math.min(input.at_most, Math.max(input.at_least, value));
    if (whole.test(input.name)) value = Math.round(value);
    values.set(input.name, value);
  }
  values.set("horizon_months", Math.min(60, Math.floor(of("depreciation_years") * 12), 6 + Math.floor(next() * 55)));
  if (of("load_draw_share") < of("idle_draw_share")) values.set("load_draw_share", of("idle_draw_share"));
  values.set("bill_list_usd_month", of("bill_list_usd_month"));
  // A way is written as a whole or not at all: what is left out the program learns anew, for machines of its own choice.
  for (const way of ["own", "hybrid", "rent"]) {
    const inputs = file.inputs.filter((input) => input.section === way);
    const pinned = next() < 0.7;
    for (const input of inputs) {
      if (pinned) values.set(input.name, of(input.name));
      else values.delete(input.name);
    }
    // What the program learns is never more than the bill of the usage, but this bill is another one.
    if (!pinned) values.set(`${way}_moved_usd_month`, Math.min(of(`${way}_moved_usd_month`), of("bill_list_usd_month")));
    if (pinned && of(`${way}_moved_usd_month`) > of("bill_list_usd_month")) {
      values.set(`${way}_moved_usd_month`, of("bill_list_usd_month") * next());
    }
  }
  return SECTIONS.map((section) => {
    const lines = file.inputs
      .filter((input) => input.section === section && values.has(input.name))
      .map((input) => `${input.key} = ${toml(values.get(input.name))}`);
    return lines.length ? `[${section}]\n${lines.join("\n")}\n` : "";
  }).join("\n");
}
const toml = (value) => (Number.isInteger(value) ? value.toFixed(1) : String(value));

test("the example is computed as the program computed it", LIMIT, () => compare(plan_json()));

test(`${SCENARIOS} random scenarios are computed as the program computed them`, LIMIT, (t) => {
  const base = plan_json();
  const answers = new Map();
  for (let seed = 1; seed <= SCENARIOS; ++seed) {
    const path = join(FOLDER, `scenario-${seed}.toml`);
    writeFileSync(path, scenario(base, random(seed)));
    const file = plan_json("--inputs", path);
    try {
      compare(file);
    } catch (error) {
      t.diagnostic(`seed ${seed}: ${path}`);
      throw error;
    }
    answers.set(file.verdict.word, (answers.get(file.verdict.word) ?? 0) + 1);
  }
  t.diagnostic(`answers: ${JSON.stringify(Object.fromEntries(answers))}`);
  // Scenarios that all end the same would prove little.
  assert.ok(answers.size >= 3, `only ${[...answers.keys()]} came up`);
});

test("a change on the page is what the program makes of the same scenario", LIMIT, () => {
  const base = plan_json();
  // With everything written out the program chooses no other machines.
  const pinned = base.inputs.map((input) => ({ ...input }));
  const change = { wacc: 0.11, staff_usd_year: 150_000, api_price_factor: 3, negotiated_discount: 0.1 };
  const text = SECTIONS.map((section) => {
    const lines = pinned
      .filter((input) => input.section === section)
      .map((input) => `${input.key} = ${toml(change[input.name] ?? input.value)}`);
    return `[${section}]\n${lines.join("\n")}\n`;
  }).join("\n");
  const path = join(FOLDER, "pinned.toml");
  writeFileSync(path, text);
  const wanted = plan_json("--inputs", path);
  const found = model.answer_of(base, model.changed_table(base, change));
  for (const option of wanted.options) {
    const own = found.money.options[option.option];
    for (const key of ["npv_usd", "saved_npv_usd", "cash_usd", "pnl_usd"]) close(own[key], option[key], `${option.option}.${key}`);
  }
  assert.equal(found.money.best, wanted.verdict.word);
});

test("what contradicts itself is said and not computed", LIMIT, () => {
  const base = plan_json();
  const why = (changes) => model.check(model.changed_table(base, changes)).map((each) => each.input);
  assert.deepEqual(why({}), []);
  assert.deepEqual(why({ horizon_months: 60 }), ["horizon_months"]);
  assert.deepEqual(why({ horizon_months: 60, depreciation_years: 5 }), []);
  assert.deepEqual(why({ wacc: -0.01 }), ["wacc"]);
  assert.deepEqual(why({ hybrid_nodes_min: 1.5 }), ["hybrid_nodes_min"]);
  assert.deepEqual(why({ own_spills: 0.5 }), ["own_spills"]);
  assert.ok(why({ bill_list_usd_month: 1 }).includes("own_moved_usd_month") || base.inputs.every((i) => i.name !== "own_moved_usd_month"));
});

test("one answer takes how long", LIMIT, (t) => {
  const base = plan_json();
  const times = [];
  for (let i = 0; i < 12; ++i) {
    const began = performance.now();
    model.answer_of(base, model.changed_table(base, { wacc: 0.05 + i / 100 }));
    times.push(performance.now() - began);
  }
  t.diagnostic(`everything computed again: ${times.map((ms) => ms.toFixed(0)).join(", ")} ms`);
});
