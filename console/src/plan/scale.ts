// Round numbers for an axis from `low` to at least `high`, about `wanted` of them.
export function ticks(low: number, high: number, wanted: number): number[] {
  const span = Math.max(high - low, 1e-9);
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

// Charts are drawn as wide as their card, so that their words keep their size; under NARROW, on a telephone, names stand
// above their bars.
export const NARROW = 560;
export const chart_width = (room: number): number => (room > 0 ? Math.min(1040, Math.max(300, room - 26)) : 860);
