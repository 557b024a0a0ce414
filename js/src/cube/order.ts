// The order in which a facet shows its values.

import type { Value } from "./condition";

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const RANKS = 65536; // more than any dimension has values

/** Positions of the values in order of name, missing last. */
export function nameRanks(values: readonly Value[]): Uint16Array {
  const order = values.map((_, i) => i);
  order.sort((a, b) => {
    const x = values[a]!;
    const y = values[b]!;
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return collator.compare(String(x), String(y));
  });
  const ranks = new Uint16Array(values.length);
  order.forEach((code, rank) => (ranks[code] = rank));
  return ranks;
}

/**
 * Codes in display order: marked values first, then by count, ties by name.
 *
 * Mark, count and rank are packed into one number, so that a native sort without a comparator does it: this runs for
 * every facet at every click.
 */
export function displayOrder(counts: ArrayLike<number>, ranks: Uint16Array, marked: ReadonlySet<number>): Uint16Array {
  const n = ranks.length;
  const keys = new Float64Array(n);
  const codeOf = new Uint16Array(n);
  for (let code = 0; code < n; code++) {
    const rank = ranks[code]!;
    codeOf[rank] = code;
    keys[code] = (marked.has(code) ? 2 ** 52 : 0) + counts[code]! * RANKS + (RANKS - 1 - rank);
  }
  keys.sort();
  const order = new Uint16Array(n);
  for (let i = 0; i < n; i++) order[i] = codeOf[RANKS - 1 - (keys[n - 1 - i]! % RANKS)]!;
  return order;
}
