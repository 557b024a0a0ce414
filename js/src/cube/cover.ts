// Which conditions the cube can answer, and how: every combination of conditions on one of its columns.

import type { Condition, Value } from "../cohort/condition";
import type { Axis } from "./axis";
import { type Edge, edgesOf, missingCode, within } from "./bins";

export type Axes = ReadonlyMap<string, Axis>;

/** The conditions on columns that a combination is made of. */
export function leaves(c: Condition): Condition[] {
  if (c.op === "not") return leaves(c.arg);
  if (c.op === "and" || c.op === "or") return c.args.flatMap(leaves);
  return [c];
}

/** The one column that a combination is about, or null. */
export function columnOf(c: Condition): string | null {
  const columns = new Set(leaves(c).map((l) => ("column" in l ? l.column : null)));
  return columns.size === 1 ? [...columns][0]! : null;
}

/** The axis that can answer a condition, once it has the edges for it; null when only the kernel can. */
export function axisOf(axes: Axes, c: Condition): Axis | null {
  const axis = axes.get(columnOf(c) ?? "");
  const answers = (l: Condition): boolean => {
    if (!axis?.bins) return l.op === "in";
    return l.op === "in" ? l.values.every((v) => v === null) : l.op === "implausible" || edgesOf(axis.bins.kind, l) !== null;
  };
  return axis && leaves(c).every(answers) ? axis : null;
}

/** The edges that conditions need of the cube, by column. */
export function edgesFor(axes: Axes, where: readonly Condition[]): Record<string, Edge[]> {
  const needed: Record<string, Edge[]> = {};
  for (const c of where) {
    const axis = axisOf(axes, c);
    if (!axis?.bins) continue;
    for (const l of leaves(c)) (needed[axis.name] ??= []).push(...(edgesOf(axis.bins.kind, l) ?? []));
  }
  return Object.fromEntries(Object.entries(needed).filter(([, edges]) => edges.length));
}

/** 1 for each source code of the axis for which the condition holds; null when an edge is not there. */
export function hits(axis: Axis, c: Condition): Uint8Array | null {
  if (c.op === "not") {
    const inner = hits(axis, c.arg);
    return inner && inner.map((h) => 1 - h);
  }
  if (c.op === "and" || c.op === "or") {
    const all = c.args.map((a) => hits(axis, a));
    if (all.includes(null)) return null;
    const every = c.op === "and";
    return new Uint8Array(axis.sourceSize).map((_, s) => (every ? Number(all.every((h) => h![s])) : Number(all.some((h) => h![s]))));
  }
  if (!axis.bins) return c.op === "in" ? matching(axis, c.values) : null;
  const special = new Uint8Array(axis.sourceSize);
  const missing = missingCode(axis.bins.edges);
  if (c.op === "in") {
    if (c.values.length) special[missing] = 1;
    return special;
  }
  if (c.op === "implausible") {
    special[missing + 1] = 1;
    return special;
  }
  return within(axis.bins, c);
}

/** 1 for each source code that has any of the values. */
function matching(axis: Axis, values: readonly Value[]): Uint8Array {
  const hit = new Uint8Array(axis.sourceSize);
  const codes = new Set<number>();
  for (const v of values) {
    const code = axis.index.get(v);
    if (code !== undefined) codes.add(code);
  }
  if (axis.members) axis.members.forEach((terms, s) => (hit[s] = terms.some((t) => codes.has(t)) ? 1 : 0));
  else for (const code of codes) hit[code] = 1;
  return hit;
}
