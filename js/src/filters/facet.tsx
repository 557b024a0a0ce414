// A facet of values: its list, the search within it, and what a click on a value does.

import { effect, useComputed, useSignal, type Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";
import { marks, type Value } from "../cohort/condition";
import { displayOrder, families, ranksOf, together } from "../cube/order";
import type { Facet as FacetInfo } from "../kernel/protocol";
import type { Store } from "../state/store";
import { count } from "../ui/format";
import { PanelActions } from "./actions";
import { only } from "./edits";
import { FacetGroup, isFolded, isOpen, setFolded, setOpen } from "./heading";
import { humanName, valueText } from "./names";
import { presence } from "./presence";
import { type Act, ValueList } from "./values";
import type { Visibility } from "./visibility";

const FOLDED_ROWS = 6;
const OPEN_ROWS = 12;
const SEARCH_FROM = 13; // shorter lists are read faster than searched

/** The values of a column with their series: now, and in all. */
export interface Counted {
  values: readonly Value[];
  total: readonly number[];
  index: ReadonlyMap<Value, number>;
  counts: ArrayLike<number>;
}

const ranksHeld = new WeakMap<readonly Value[], Uint16Array>();

function ranks({ values, total }: Counted): Uint16Array {
  let r = ranksHeld.get(values);
  if (!r) ranksHeld.set(values, (r = ranksOf(values, total)));
  return r;
}

const kinOf = new WeakMap<readonly Value[], ReturnType<typeof families>>();

function kin(values: readonly Value[]): ReturnType<typeof families> {
  let k = kinOf.get(values);
  if (!k) kinOf.set(values, (k = families(values)));
  return k;
}

const codes = (index: ReadonlyMap<Value, number>, values: Iterable<Value>): Set<number> => {
  const out = new Set<number>();
  for (const v of values) {
    const code = index.get(v);
    if (code !== undefined) out.add(code);
  }
  return out;
};

/** The order that was shown, and of what. */
interface Kept {
  values: readonly Value[];
  order: ArrayLike<number>;
  /** What the list was searched for; null where it was folded. */
  sought: string | null;
}

/** The order of before, for other values: those that are new come last. */
function asBefore(kept: Kept, index: ReadonlyMap<Value, number>, order: ArrayLike<number>): number[] {
  const old = Array.from(kept.order, (code) => index.get(kept.values[code]!)).filter((code) => code !== undefined);
  return [...new Set([...old, ...Array.from(order)])];
}

interface ValuesProps {
  store: Store;
  info: FacetInfo;
  seen: Visibility;
  /** What to show, read within an effect; `late` where it is not on screen. */
  read(late: boolean): Counted | null;
  /** Values that there are, also those that `read` leaves out. */
  distinct: number;
  /** Where the kernel searches: what is typed. Else the list is searched here. */
  query?: Signal<string>;
  /** Said between the heading and the values. */
  note?: ComponentChildren;
  /** Said below the open list. */
  foot?: ComponentChildren;
  /** The counts are not those of the conditions. */
  pending?: boolean;
}

export function ValuesFacet({ store, info, seen, read, distinct, query: asked, note, foot, pending = false }: ValuesProps) {
  const own = useSignal("");
  const query = asked ?? own;
  const group = useRef<HTMLDivElement>(null);
  const home = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const actions = useContext(PanelActions);
  const folded = isFolded(store, info.name);
  const open = useComputed(() => isOpen(store, info.name));
  const ticked = useComputed(() => {
    const m = marks(store.where.value, info.name);
    return m.included.size + m.excluded.size;
  });
  const found = useSignal(-1);
  const zeros = useSignal(0);
  const more = useSignal(0);

  const act = (what: Act, value: Value, at: { x: number; y: number }): void => {
    if (what === "toggle") store.toggle(info.name, value);
    else if (what === "exclude") store.toggle(info.name, value, true);
    else if (what === "only") store.setWhere(only(store.where.value, info.name, value));
    else if (what === "menu") actions.menu({ column: info.name, label: info.label, value, ...at });
    else if (typeof value === "string") actions.about(info.name, value);
  };

  useEffect(() => {
    if (folded || !home.current || !group.current) return;
    const list = new ValueList(act);
    home.current.append(list.element);
    const visible = seen.watch(group.current);
    const abort = new AbortController();
    const here = presence(group.current, abort.signal);
    let kept: Kept | null = null;
    const stop = effect(() => {
      // Facets in view repaint with the click; the others just after it, so that nobody ever reads an old number there.
      const late = !visible.value;
      const a = read(late);
      if (!a) return;
      const where = late ? store.where.peek() : store.where.value;
      const { included, excluded } = marks(where, info.name);
      const inSet = codes(a.index, included);
      const outSet = codes(a.index, excluded);
      const titles = store.catalog.value?.names;
      const human = (v: Value): string => humanName(info.name, v, titles);
      const sought = open.value ? query.value.trim().toLowerCase() : null;
      // Nothing moves under the pointer or the keyboard: a second click must meet what the first one did.
      const stays = here.value && kept?.sought === sought;
      let order: ArrayLike<number> = stays && kept!.values === a.values ? kept!.order : together(
        displayOrder(a.counts, ranks(a), new Set([...inSet, ...outSet])), kin(a.values), a.counts,
      );
      if (stays && kept!.values !== a.values) order = asBefore(kept!, a.index, order);
      kept = { values: a.values, order, sought };
      const text = asked ? "" : sought;
      if (text) {
        order = Array.from(order).filter((code) => {
          const v = a.values[code]!;
          return `${valueText(v)} ${human(v)}`.toLowerCase().includes(text);
        });
      }
      const rows = open.value ? Math.min(OPEN_ROWS, Math.max(1, a.values.length)) : foldedRows(a.values.length, ticked.value);
      let none = 0;
      for (let i = 0; i < a.counts.length; i++) if (a.counts[i] === 0) none++;
      found.value = query.value.trim() && open.value ? order.length : -1;
      more.value = Math.max(0, Math.max(distinct, a.values.length) - foldedRows(a.values.length, ticked.value));
      zeros.value = Math.min(none, more.value);
      if (!open.value && order.length > rows) order = Array.prototype.slice.call(order, 0, rows);
      list.show(
        { human, filtered: where.length > 0, values: a.values, total: a.total, counts: a.counts, order, included: inSet, excluded: outSet },
        rows,
      );
    });
    return () => {
      stop();
      abort.abort();
      seen.forget(group.current);
      list.dispose();
    };
  }, [folded, read, distinct]);

  const moreText = useComputed(() => `${count(more.value)} more${zeros.value ? ` (${count(zeros.value)} at zero)` : ""}`);
  const searchable = asked !== undefined || distinct >= SEARCH_FROM;
  const expand = (focus: boolean): void => {
    setFolded(store, info.name, false);
    setOpen(store, info.name, true);
    if (focus) requestAnimationFrame(() => search.current?.focus());
  };
  const close = (): void => {
    setOpen(store, info.name, false);
    query.value = "";
  };
  return (
    <FacetGroup
      store={store}
      info={info}
      group={group}
      size={distinct || undefined}
      active={ticked.value}
      searching={open.value}
      onSearch={searchable ? () => (open.value && !folded ? close() : expand(true)) : undefined}
    >
      {note}
      {searchable && open.value && (
        <input
          ref={search}
          class="idc-input idc-facet-search"
          type="search"
          placeholder={`Search ${count(distinct)} values`}
          aria-label={`Search within ${info.label}`}
          value={query.value}
          onInput={(e) => (query.value = e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key === "Escape") close();
            e.stopPropagation();
          }}
        />
      )}
      <div ref={home} class={`idc-values-home${pending ? " idc-on-its-way" : ""}`}>
        {found.value === 0 && !pending && <p class="idc-none">No value contains “{query.value.trim()}”.</p>}
      </div>
      {open.value && foot}
      {(more.value > 0 || open.value) && (
        <button type="button" class="idc-link idc-more" onClick={() => (open.value ? close() : expand(false))}>
          {open.value ? "Show fewer" : moreText}
        </button>
      )}
    </FacetGroup>
  );
}

/** Rows of the short list: ticked values never drop out of it; the height does not change with the counts. */
const foldedRows = (values: number, ticked: number): number => Math.min(values, Math.max(FOLDED_ROWS, ticked));
