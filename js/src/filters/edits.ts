// Edits of the conditions that go beyond a tick.

import { asList, type Condition, type Value, type Where } from "../cohort/condition";

const about = (c: Condition): string | null =>
  c.op === "not" ? about(c.arg) : "column" in c ? c.column : null;

/** Only this value of its column: what was ticked or excluded there goes. */
export function only(where: Where, column: string, value: Value): Condition[] {
  const rest = where.filter((c) => asList(c)?.column !== column);
  return [...rest, { op: "in", column, values: [value] }];
}

/** Puts a condition in the place of those of its kind on its column; null takes them away. */
export function replace(where: Where, column: string, op: "contains", condition: Condition | null): Condition[] {
  const theirs = (c: Condition): boolean => c.op === op && c.column === column;
  const at = where.findIndex(theirs);
  const kept = where.filter((c) => !theirs(c));
  if (!condition) return kept;
  return at < 0 ? [...kept, condition] : [...kept.slice(0, at), condition, ...kept.slice(at)];
}

/** Without any condition on a column. */
export const without = (where: Where, column: string): Condition[] => where.filter((c) => about(c) !== column);
