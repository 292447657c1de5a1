// A Freehold to ask for plans, always the example company's, with a data folder of its own.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const BINARY = process.env.FREEHOLD_BINARY ?? "";
export const FOLDER = process.env.FOLDER ?? "";

export function plan(...args) {
  return execFileSync(BINARY, ["plan", "--example", ...args], {
    env: { ...process.env, FREEHOLD_DATA: join(FOLDER, "data") },
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
  });
}
export const plan_json = (...args) => JSON.parse(plan("--json", ...args));
