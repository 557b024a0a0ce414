// What the keys do in the table.

export interface Place {
  row: number;
  column: number;
}

/** Where a key moves the active cell to, or null when it moves nothing. */
export function move(
  key: string, ctrl: boolean, at: Place, size: { rows: number; columns: number; page: number },
): Place | null {
  const last = size.rows - 1;
  const right = size.columns - 1;
  const to = { ...at };
  switch (key) {
    case "ArrowDown": to.row = ctrl ? last : at.row + 1; break;
    case "ArrowUp": to.row = ctrl ? 0 : at.row - 1; break;
    case "ArrowRight": to.column = ctrl ? right : at.column + 1; break;
    case "ArrowLeft": to.column = ctrl ? 0 : at.column - 1; break;
    case "PageDown": to.row = at.row + size.page; break;
    case "PageUp": to.row = at.row - size.page; break;
    case "Home": to.column = 0; if (ctrl) to.row = 0; break;
    case "End": to.column = right; if (ctrl) to.row = last; break;
    default: return null;
  }
  return { row: clamp(to.row, last), column: clamp(to.column, right) };
}

const clamp = (n: number, last: number): number => Math.max(0, Math.min(last, n));

/** The next sorting after a click on a header: ascending, descending, none; `add` keeps the other columns. */
export function nextSort<K extends { column: string; descending: boolean }>(
  sort: readonly K[], column: string, add: boolean,
): { column: string; descending: boolean }[] {
  const at = sort.findIndex((s) => s.column === column);
  const now = at < 0 ? null : sort[at]!;
  const next = !now ? { column, descending: false } : now.descending ? null : { column, descending: true };
  if (!add) return next ? [next] : [];
  if (at < 0) return [...sort, { column, descending: false }];
  return next ? sort.map((s, i) => (i === at ? next : s)) : sort.filter((_, i) => i !== at);
}

export type Action =
  | { what: "move"; to: Place }
  | { what: "tick" | "fold" | "parent" | "open" | "details" | "copy row" };

/** What a key does to a row at a place, or null when the table has no use for it. */
export function action(
  e: { key: string; ctrlKey: boolean; metaKey: boolean; shiftKey: boolean },
  at: Place,
  size: { rows: number; columns: number; page: number },
  row: { expanded: boolean; level: string; nested: boolean } | null,
): Action | null {
  if (!row || size.rows === 0) return null;
  const ctrl = e.ctrlKey || e.metaKey;
  const folds = row.level !== "series";
  if (!ctrl) {
    if (e.key === " ") return { what: "tick" };
    if (e.key === "Enter") return { what: "open" };
    if (e.key === "i" || e.key === "F2") return { what: "details" };
    // In the first column, as in a tree: right unfolds, left folds, then goes to the row above that holds this one.
    if (e.key === "ArrowRight" && at.column === 1 && folds && !row.expanded) return { what: "fold" };
    if (e.key === "ArrowLeft" && at.column <= 1) {
      if (row.expanded) return { what: "fold" };
      if (row.nested && at.column === 1) return { what: "parent" };
    }
  } else if (e.shiftKey && e.key.toLowerCase() === "c") return { what: "copy row" };
  const to = move(e.key, ctrl, at, size);
  return to && { what: "move", to };
}
