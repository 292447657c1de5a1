// Start of the page of its own: reads the plan from the data block that the program filled in.
import { mount } from "svelte";
import "../style.css";
import "./page.css";
import Page from "./Page.svelte";
import type { PlanFile } from "./types";

const SCHEMA = "freehold.plan/1";

function read(): { file: PlanFile | null; problem: string } {
  const text = document.getElementById("plan-data")?.textContent ?? "";
  try {
    const file = JSON.parse(text) as PlanFile;
    if (file.schema !== SCHEMA) return { file: null, problem: `It is of another kind: ${String(file.schema)}.` };
    return { file, problem: "" };
  } catch {
    return { file: null, problem: "The data in it cannot be read." };
  }
}

const target = document.getElementById("app");
if (target) mount(Page, { target, props: read() });
