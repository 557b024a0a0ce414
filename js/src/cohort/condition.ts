// The conditions of a cohort, as they travel between Python and the browser, and the edits the panel makes to them.

export type Value = string | number | boolean | null;

export type Condition =
  | { op: "in"; column: string; values: Value[] }
  | { op: "not"; arg: Condition }
  | { op: "between"; column: string; low: Value; high: Value }
  | { op: "compare"; column: string; than: "<" | ">"; value: Value }
  | { op: "references" | "referenced_by"; arg: Condition }
  | { op: "sql"; text: string }
  | { op: "implausible"; column: string }
  | { op: "contains"; column: string; text: string }
  | { op: "search"; text: string }
  | { op: "with_modalities"; modalities: string[]; per: "study" | "patient" }
  | { op: "and" | "or"; args: Condition[] };

/** A cohort's conditions; all of them hold. */
export type Where = readonly Condition[];

/** JSON with sorted keys: equal exactly when two values are the same, whoever wrote them. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) =>
    v !== null && typeof v === "object" && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : v,
  );
}

export const same = (a: unknown, b: unknown): boolean => a === b || canonical(a) === canonical(b);

/** The column and values of "one of" (`out` false) or "none of" (`out` true); null for any other condition. */
export function asList(c: Condition): { column: string; values: Value[]; out: boolean } | null {
  if (c.op === "in") return { column: c.column, values: c.values, out: false };
  if (c.op === "not" && c.arg.op === "in") return { column: c.arg.column, values: c.arg.values, out: true };
  return null;
}

const listed = (column: string, values: Value[], out: boolean): Condition => {
  const inside: Condition = { op: "in", column, values };
  return out ? { op: "not", arg: inside } : inside;
};

/** Values of a column that are ticked (one of) and excluded (none of). */
export function marks(where: Where, column: string): { included: Set<Value>; excluded: Set<Value> } {
  const included = new Set<Value>();
  const excluded = new Set<Value>();
  for (const c of where) {
    const list = asList(c);
    if (list?.column === column) for (const v of list.values) (list.out ? excluded : included).add(v);
  }
  return { included, excluded };
}

/** Takes a value out of every list of its kind; a list left empty goes away rather than matching nothing. */
function without(where: Where, column: string, value: Value, out: boolean): Condition[] {
  return where.flatMap((c) => {
    const list = asList(c);
    if (!list || list.column !== column || list.out !== out || !list.values.includes(value)) return [c];
    const rest = list.values.filter((v) => v !== value);
    return rest.length ? [listed(column, rest, out)] : [];
  });
}

/** Ticks or unticks a value; with `out`, excludes it or takes the exclusion back. The two never stand together. */
export function toggle(where: Where, column: string, value: Value, out = false): Condition[] {
  const { included, excluded } = marks(where, column);
  if (out ? excluded.has(value) : included.has(value)) return without(where, column, value, out);
  // A plain click on an excluded value only takes the exclusion back.
  if (!out && excluded.has(value)) return without(where, column, value, true);
  const rest = without(where, column, value, !out);
  const at = rest.findIndex((c) => {
    const list = asList(c);
    return list?.column === column && list.out === out;
  });
  const found = at < 0 ? null : asList(rest[at]!);
  if (!found) return [...rest, listed(column, [value], out)];
  rest[at] = listed(column, [...found.values, value], out);
  return rest;
}

/** Whether every one of `conditions` stands in `where`. */
export function holds(where: Where, conditions: Where): boolean {
  const present = new Set(where.map(canonical));
  return conditions.every((c) => present.has(canonical(c)));
}

/** Adds all of a preset's conditions, or takes them away when they all stand already. */
export function togglePreset(where: Where, conditions: Where): Condition[] {
  const theirs = new Set(conditions.map(canonical));
  const rest = where.filter((c) => !theirs.has(canonical(c)));
  return holds(where, conditions) ? rest : [...rest, ...conditions];
}

/** Replaces what is searched for, in its place among the conditions; blank text ends the search. */
export function withSearch(where: Where, text: string): Condition[] {
  const words = text.trim();
  const at = where.findIndex((c) => c.op === "search");
  const search: Condition = { op: "search", text: words };
  const kept = where.filter((c) => c.op !== "search");
  if (!words) return kept;
  return at < 0 ? [...kept, search] : [...kept.slice(0, at), search, ...kept.slice(at)];
}
