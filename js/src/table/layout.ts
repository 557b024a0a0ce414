// Which columns the table shows, in which order and how wide; kept with the widget, so that Python and other views agree.

import type { Catalog, Column, Level, TableState } from "../kernel/protocol";
import type { Store } from "../state/store";

export const NARROWEST = 48;
export const WIDEST = 900;

export const levelOf = (state: TableState): Level => state.level ?? "series";

/** Columns that say something at a level. */
export const offered = (catalog: Catalog | null, level: Level): Column[] =>
  (catalog?.columns ?? []).filter((c) => !c.levels || c.levels.includes(level));

/** Names of the columns that a level shows at first. */
export function usual(catalog: Catalog | null, level: Level): string[] {
  const columns = offered(catalog, level).map((c) => c.name);
  const first = catalog?.levels?.find((l) => l.name === level)?.columns;
  return first ? first.filter((n) => columns.includes(n)) : columns;
}

/** The columns shown, in their order; names that this catalogue does not have are left out. */
export function shown(catalog: Catalog | null, state: TableState): Column[] {
  const level = levelOf(state);
  const byName = new Map(offered(catalog, level).map((c) => [c.name, c]));
  const names = state.columns?.[level] ?? usual(catalog, level);
  const found = names.flatMap((n) => byName.get(n) ?? []);
  return found.length ? found : usual(catalog, level).flatMap((n) => byName.get(n) ?? []);
}

const keep = (store: Store, names: string[]): void => {
  const state = store.table.peek();
  store.setTable({ columns: { ...state.columns, [levelOf(state)]: names } });
};

const names = (store: Store): string[] => shown(store.catalog.peek(), store.table.peek()).map((c) => c.name);

/** Shows or hides a column; the last one stays. */
export function toggleColumn(store: Store, name: string): void {
  const now = names(store);
  if (!now.includes(name)) keep(store, [...now, name]);
  else if (now.length > 1) keep(store, now.filter((n) => n !== name));
}

/** Moves a column to a place among those shown. */
export function moveColumn(store: Store, name: string, to: number): void {
  const now = names(store);
  const from = now.indexOf(name);
  const at = Math.max(0, Math.min(now.length - 1, to));
  if (from < 0 || from === at) return;
  now.splice(from, 1);
  now.splice(at, 0, name);
  keep(store, now);
}

/** Shows the usual columns again, in their usual widths. */
export function resetColumns(store: Store): void {
  const state = store.table.peek();
  const { [levelOf(state)]: _, ...columns } = state.columns ?? {};
  store.setTable({ columns, widths: {} });
}

/** Sets the width of a column; null lets the table decide again. */
export function setWidth(store: Store, name: string, width: number | null): void {
  const { [name]: _, ...widths } = store.table.peek().widths ?? {};
  if (width !== null) widths[name] = Math.round(Math.max(NARROWEST, Math.min(WIDEST, width)));
  store.setTable({ widths });
}
