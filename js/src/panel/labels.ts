// What a column is called, wherever it is named.

import type { Store } from "../link/store";
import { columnName } from "./names";

/** The name of a column for people: the panel's, the table's, or made from its own. */
export function labeller(store: Store): (column: string) => string {
  const labels = new Map<string, string>();
  for (const c of store.catalog.value?.columns ?? []) labels.set(c.name, c.label);
  for (const f of store.catalog.value?.facets ?? []) labels.set(f.name, f.label);
  for (const a of store.panel.value.added ?? []) labels.set(a.name, a.label);
  return (column) => labels.get(column) ?? columnName(column);
}
