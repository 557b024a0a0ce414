// The facets that the panel has, and what a column is called, wherever it is named.

import type { Facet } from "../kernel/protocol";
import type { Store } from "../state/store";
import { columnName } from "./names";

/** What was added first, then the catalogue's own. */
export const facetsOf = (store: Store): Facet[] => [
  ...(store.panel.value.added ?? []).map((a): Facet => ({ ...a, group: "Added", kind: "kernel" })),
  ...(store.catalog.value?.facets ?? []),
];

/** The name of a column for people: the panel's, the table's, or made from its own. */
export function labeller(store: Store): (column: string) => string {
  const labels = new Map([...(store.catalog.value?.columns ?? []), ...facetsOf(store).reverse()].map((c) => [c.name, c.label]));
  return (column) => labels.get(column) ?? columnName(column);
}
