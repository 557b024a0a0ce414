// Bins: a column of many values (dates, ages, sizes) as an axis of the cube. The kernel's side: catalog/bins.py.

import type { Condition, Value } from "../cohort/condition";
import type { BinsMessage } from "../kernel/protocol";

export type Place = string | number;
/** Where a bin begins: at a value (0), or just above it (1). */
export type Edge = readonly [value: Place, side: 0 | 1];

/**
 * The bins of a column in one cube. Codes count the edges passed; then comes one code for missing values and one for
 * implausible ones, which have no place on the scale.
 */
export interface Bins {
  readonly kind: BinsMessage["kind"];
  /** All edges of this cube, in order. */
  readonly edges: readonly Edge[];
  /** The edges of every cube: those that a histogram shows. */
  readonly base: readonly Place[];
  /** Each code's code among `base`. */
  readonly shown: Uint8Array;
  /** Series in the whole catalogue, for each code among `base`. */
  readonly total: readonly number[];
}

const order = (a: Edge, b: Edge): number => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1]);

export function readBins(m: BinsMessage): Bins {
  const edges = [...m.edges.map((e): Edge => [e, 0]), ...m.extra].sort(order);
  const shown = new Uint8Array(edges.length + 3);
  let passed = 0;
  edges.forEach((e, i) => {
    if (passed < m.edges.length && order(e, [m.edges[passed]!, 0]) === 0) passed++;
    shown[i + 1] = passed;
  });
  shown[edges.length + 1] = m.edges.length + 1;
  shown[edges.length + 2] = m.edges.length + 2;
  return { kind: m.kind, edges, base: m.edges, shown, total: m.total };
}

export const missingCode = (edges: { length: number }): number => edges.length + 1;

/** The edge at a bound (side 0) or just above it (side 1), in one form; null when it is no bound of this kind. */
export function edgeAt(kind: Bins["kind"], value: Value, side: 0 | 1): Edge | null {
  if (kind === "date") {
    const text = String(value);
    if (side === 0) return [text, 0];
    // "2015" and all days in it; nothing stands between "2015~" and "2016".
    return [/^\d{4}$/.test(text) ? String(Number(text) + 1).padStart(4, "0") : `${text}~`, 0];
  }
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  if (kind === "integer") return [side ? Math.floor(value) + 1 : Math.ceil(value), 0];
  return [value, side];
}

/** The edges that a bound needs; null when it is none of this kind. */
export function edgesOf(kind: Bins["kind"], c: Condition): Edge[] | null {
  let found: (Edge | null)[] = [];
  if (c.op === "compare") found = [edgeAt(kind, c.value, c.than === ">" ? 1 : 0)];
  else if (c.op === "between") {
    if (c.low !== null) found.push(edgeAt(kind, c.low, 0));
    if (c.high !== null) found.push(edgeAt(kind, c.high, 1));
  } else return null;
  return found.every((e) => e !== null) ? (found as Edge[]) : null;
}

/** 1 for each code that a bound lets through; null when the cube has not the edges for it. */
export function within(bins: Bins, c: Condition): Uint8Array | null {
  const needed = edgesOf(bins.kind, c);
  if (!needed) return null;
  const at = needed.map((e) => bins.edges.findIndex((o) => order(o, e) === 0));
  if (at.includes(-1)) return null;
  const above = (c.op === "between" && c.low !== null) || (c.op === "compare" && c.than === ">");
  const from = above ? at[0]! + 1 : 0;
  const to = !above || at.length > 1 ? at.at(-1)! : bins.edges.length;
  return new Uint8Array(bins.edges.length + 3).fill(1, from, Math.max(from, to + 1));
}
