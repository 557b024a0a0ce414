// The order in which a facet shows its values.

import type { Value } from "../cohort/condition";

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const RANKS = 65536; // more than any dimension has values

/** Positions of the values by their count in all, then by name, missing last. */
export function ranksOf(values: readonly Value[], total: readonly number[] = []): Uint16Array {
  const order = values.map((_, i) => i);
  order.sort((a, b) => {
    const more = (total[b] ?? 0) - (total[a] ?? 0);
    if (more) return more;
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
 * Codes in display order: marked values first, then by count, ties as they stand without a filter: those that have
 * none any more must not change places, however many they are.
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

/** Codes of each value that has others differing from it in letter case alone; empty where there are none. */
export function families(values: readonly Value[]): ReadonlyMap<number, readonly number[]> {
  const byName = new Map<string, number[]>();
  values.forEach((v, code) => {
    if (typeof v !== "string") return;
    const name = v.toLowerCase();
    const family = byName.get(name);
    if (family) family.push(code);
    else byName.set(name, [code]);
  });
  const found = new Map<number, readonly number[]>();
  for (const family of byName.values()) if (family.length > 1) for (const code of family) found.set(code, family);
  return found;
}

/**
 * The same order, but values that differ in letter case alone ("Phantom", "PHANTOM") follow the first of them; those
 * without a series stay where they were, out of the way.
 */
export function together(
  order: Uint16Array,
  kin: ReadonlyMap<number, readonly number[]>,
  counts: ArrayLike<number>,
): Uint16Array {
  if (!kin.size) return order;
  const out = new Uint16Array(order.length);
  const done = new Set<number>();
  let n = 0;
  for (const code of order) {
    if (done.has(code)) continue;
    out[n++] = code;
    const family = counts[code] ? kin.get(code) : undefined;
    if (!family) continue;
    const others = family.filter((other) => other !== code && counts[other]! > 0 && !done.has(other));
    others.sort((a, b) => counts[b]! - counts[a]!);
    for (const other of others) {
      out[n++] = other;
      done.add(other);
    }
  }
  return out;
}
