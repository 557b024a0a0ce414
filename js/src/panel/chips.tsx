// The active conditions, each removable.

import type { Condition } from "../cube/condition";
import type { Store } from "../link/store";
import { Icon } from "../icons";
import { sentence, words } from "./words";

export function Chips({ store }: { store: Store }) {
  const where = store.where.value;
  // The line is always there: a first filter must not push the table down.
  if (!where.length) return <p class="idc-chips idc-no-chips">All series. Tick values in the filters, or search, to narrow them down.</p>;
  const labels = new Map<string, string>();
  for (const c of store.catalog.value?.columns ?? []) labels.set(c.name, c.label);
  for (const f of store.catalog.value?.facets ?? []) labels.set(f.name, f.label);
  const label = (column: string): string => labels.get(column) ?? column;
  const remove = (c: Condition): void => store.setWhere(where.filter((o) => o !== c));
  return (
    <div class="idc-chips" role="group" aria-label="Active filters">
      {where.map((c, i) => {
        const w = words(c, label);
        const whole = sentence(c, label, Infinity);
        return (
          <span key={i} class={`idc-chip${w.not ? " idc-chip-not" : ""}`} title={whole}>
            <span class="idc-chip-text">
              {(w.not || w.subject) && (
                <b>{w.not ? `not ${w.subject}` : w.subject} </b>
              )}
              {w.rest}
            </span>
            <button type="button" aria-label={`Remove ${whole}`} onClick={() => remove(c)}>
              <Icon name="close" size={14} />
            </button>
          </span>
        );
      })}
      <button type="button" class="idc-link" onClick={() => store.setWhere([])}>
        Clear all
      </button>
    </div>
  );
}
