// A histogram's condition: a range of a column, with its missing and its implausible values beside it, read from a
// cohort's conditions and written back to them.

import type { Condition, Value, Where } from "../cohort/condition";
import type { Bins, Place } from "../cube/bins";
import { columnOf } from "../cube/cover";

type Bound = { value: Value; strict: boolean } | null;

export interface Range {
  low: Bound;
  high: Bound;
  /** Missing values too or, without bounds, only these. */
  missing: boolean;
  implausible: boolean;
  /** Missing values not. */
  present: boolean;
}

export const NO_RANGE: Range = { low: null, high: null, missing: false, implausible: false, present: false };

/** The conditions on a column as a range; null when they say more than a range can. */
export function readRange(where: Where, column: string): Range | null {
  const range = { ...NO_RANGE };
  for (const c of where) {
    if (columnOf(c) !== column) continue;
    if (c.op === "not" && c.arg.op === "in" && c.arg.values.every((v) => v === null)) range.present = true;
    else if (!take(range, c)) return null;
  }
  return range;
}

/** Takes a condition into the range; false when it has no place in it. */
function take(range: Range, c: Condition, alternative = false): boolean {
  switch (c.op) {
    case "in":
      return c.values.length > 0 && c.values.every((v) => v === null) && !range.missing && (range.missing = true);
    case "implausible":
      return !range.implausible && (range.implausible = true);
    case "between":
      return (c.low === null || set(range, "low", c.low, false)) && (c.high === null || set(range, "high", c.high, false));
    case "compare":
      return set(range, c.than === ">" ? "low" : "high", c.value, true);
    case "and":
      return c.args.every((a) => (a.op === "between" || a.op === "compare") && take(range, a));
    case "or":
      return !alternative && c.args.every((a) => take(range, a, true));
    default:
      return false;
  }
}

function set(range: Range, side: "low" | "high", value: Value, strict: boolean): boolean {
  if (range[side]) return false;
  range[side] = { value, strict };
  return true;
}

/** Puts a range in the place of all conditions on its column. */
export function writeRange(where: Where, column: string, range: Range): Condition[] {
  const at = where.findIndex((c) => columnOf(c) === column);
  const rest = where.filter((c) => columnOf(c) !== column);
  rest.splice(at < 0 ? rest.length : at, 0, ...conditions(column, range));
  return rest;
}

function conditions(column: string, { low, high, missing, implausible, present }: Range): Condition[] {
  const bounds: Condition[] = [];
  const soft = { low: low && !low.strict ? low.value : null, high: high && !high.strict ? high.value : null };
  if (soft.low !== null || soft.high !== null) bounds.push({ op: "between", column, ...soft });
  if (low?.strict) bounds.push({ op: "compare", column, than: ">", value: low.value });
  if (high?.strict) bounds.push({ op: "compare", column, than: "<", value: high.value });
  const others: Condition[] = [];
  if (missing) others.push({ op: "in", column, values: [null] });
  if (implausible) others.push({ op: "implausible", column });
  if (!others.length) return present && !bounds.length ? [{ op: "not", arg: { op: "in", column, values: [null] } }] : bounds;
  const all = bounds.length > 1 ? [{ op: "and", args: bounds } as const, ...others] : [...bounds, ...others];
  return all.length === 1 ? all : [{ op: "or", args: all }];
}

/** The bounds of bins `from` to `to`, both included; a bin at the end of `shown` leaves its side open. */
export function boundsOf(bins: Bins, from: number, to: number, shown: readonly [number, number]): Pick<Range, "low" | "high"> {
  const low = from <= shown[0] ? null : bins.base[from - 1]!;
  const high = to >= shown[1] ? null : bins.base[to]!;
  if (bins.kind === "number") return { low: soft(low), high: high === null ? null : { value: high, strict: true } };
  const before = high === null ? null : Number(high) - 1; // the last year, or number, that is in
  return { low: soft(bins.kind === "date" && low !== null ? Number(low) : low), high: soft(before) };
}

const soft = (value: Place | null): Bound => (value === null ? null : { value, strict: false });

/** Where a range begins and ends on the axis of bins, in bins; open sides are those of `shown`. */
export function spanOf(bins: Bins, range: Range, shown: readonly [number, number]): [number, number] {
  const first = shown[0];
  const last = shown[1] + 1;
  const within = (x: number): number => Math.min(last, Math.max(first, x));
  return [
    range.low ? within(position(bins, range.low.value, range.low.strict)) : first,
    range.high ? within(position(bins, range.high.value, !range.high.strict)) : last,
  ];
}

/** The place of a value among the bins; `after` it or before it. */
function position(bins: Bins, value: Value, after: boolean): number {
  if (bins.kind === "date") {
    const [year = "0", month = "1", day = "1"] = String(value).split("-");
    const parts = String(value).split("-").length;
    // After 2015 is before 2016; within a year the month and day say how far.
    const step = !after ? 0 : parts === 1 ? 1 : parts === 2 ? 1 / 12 : 1 / 365;
    return between(bins.base.map(Number), Number(year) + (Number(month) - 1) / 12 + (Number(day) - 1) / 365 + step);
  }
  return between(bins.base.map(Number), Number(value) + (bins.kind === "integer" && after ? 1 : 0));
}

/** Edges passed, and how far into the bin. */
function between(edges: readonly number[], x: number): number {
  let passed = 0;
  while (passed < edges.length && x >= edges[passed]!) passed++;
  const low = passed ? edges[passed - 1]! : 0;
  const high = edges[passed];
  return passed + (high === undefined || x <= low ? 0 : (x - low) / (high - low));
}
