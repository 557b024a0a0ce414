// What a searched text may mean: the reading that holds, the others with their counts, one click or key away.

import { type Signal, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type Condition, holds, type Where, withSearch } from "../cohort/condition";
import type { Readings as Answer } from "../kernel/protocol";
import type { Store } from "../state/store";
import { count } from "../ui/format";

interface Found extends Answer {
  /** The other conditions, which each reading is beside. */
  base: Where;
}

const known = new WeakMap<Store, Signal<Found | null>>();

function foundOf(store: Store): Signal<Found | null> {
  let found = known.get(store);
  if (!found) known.set(store, (found = signal(null)));
  return found;
}

const alike = (a: Where, b: Where): boolean => a.length === b.length && holds(a, b);

/** Asks what a text means beside the other conditions. */
export async function ask(store: Store, text: string): Promise<Found> {
  const base = withSearch(store.where.value, "");
  const answer = await store.link.request<Answer>("interpret", { text, where: base });
  return (foundOf(store).value = { ...answer, base });
}

/** The readings of the search that holds now, and which of them that is; null where it was changed since. */
export function readings(store: Store): { list: Answer["readings"]; at: number } | null {
  const found = foundOf(store).value;
  const list = found?.readings ?? [];
  const at = list.findIndex((r) => alike(store.where.value, [...found!.base, ...r.where]));
  return at < 0 ? null : { list, at };
}

/** Whether the search is still the text itself, beside what it was asked beside. */
export function isText(store: Store): boolean {
  const now = readings(store);
  return now !== null && now.at === now.list.length - 1;
}

export function take(store: Store, at: number): void {
  const { base, readings: list } = foundOf(store).peek()!;
  store.setWhere([...base, ...(list[at]!.where as Condition[])]);
}

/** The other readings as buttons: those that find something, and the text itself unless `some`. */
export function Others({ store, style, some = false }: { store: Store; style: string; some?: boolean }) {
  const now = readings(store);
  return (
    <>
      {now?.list.map((r, i) =>
        i === now.at || (!r.series && (some || r.label)) ? null : (
          <button key={i} type="button" class={style} title={`${r.label || "Search for these words as text"} (Alt+Enter in the search box for the next reading)`} onClick={() => take(store, i)}>
            <span>{r.label || "as text"}</span>: {count(r.series)}
          </button>
        ),
      )}
    </>
  );
}

/** A line after the conditions; asks by itself where a text finds nothing. */
export function Readings({ store }: { store: Store }) {
  const search = store.where.value.find((c) => c.op === "search");
  const text = search?.op === "search" ? search.text : "";
  const nothing = store.current.value && store.result.value?.series === 0;
  const now = readings(store);
  useEffect(() => {
    if (nothing && text && !readings(store)) ask(store, text).catch(() => undefined); // there is then nothing to offer
  }, [nothing, text]);
  if (!now || !now.list.some((r, i) => i !== now.at && (r.series || !r.label))) return null;
  const { label, series } = now.list[now.at]!;
  return (
    <span class="idc-readings" role="status">
      {label ? "" : "As text: "}
      {count(series)} series, or
      <Others store={store} style="idc-link" />
    </span>
  );
}
