// One facet: its heading, its values, and the search within them.

import { effect, useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { marks, type Value, type Where } from "../cube/condition";
import type { Axis } from "../cube/cube";
import { displayOrder, families, nameRanks, together } from "../cube/order";
import { count } from "../format";
import type { Facet as FacetInfo } from "../link/protocol";
import type { Store } from "../link/store";
import { Icon } from "../icons";
import { humanName, valueText } from "./names";
import type { Visibility } from "./visibility";
import { ValueList } from "./values";

const FOLDED_ROWS = 6;
const OPEN_ROWS = 12;
const SEARCH_FROM = 13; // shorter lists are read faster than searched

const ranksOf = new WeakMap<readonly Value[], Uint16Array>();

function ranks(axis: Axis): Uint16Array {
  let r = ranksOf.get(axis.values);
  if (!r) ranksOf.set(axis.values, (r = nameRanks(axis.values)));
  return r;
}

const kinOf = new WeakMap<readonly Value[], ReturnType<typeof families>>();

function kin(axis: Axis): ReturnType<typeof families> {
  let k = kinOf.get(axis.values);
  if (!k) kinOf.set(axis.values, (k = families(axis.values)));
  return k;
}

const codes = (axis: Axis, values: Iterable<Value>): Set<number> => {
  const out = new Set<number>();
  for (const v of values) {
    const code = axis.index.get(v);
    if (code !== undefined) out.add(code);
  }
  return out;
};

const active = (where: Where, column: string): number => {
  const m = marks(where, column);
  return m.included.size + m.excluded.size;
};

export function Facet({ store, info, seen }: { store: Store; info: FacetInfo; seen: Visibility }) {
  const folded = useSignal(false);
  const open = useSignal(false);
  const query = useSignal("");
  const group = useRef<HTMLDivElement>(null);
  const home = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const axis = useComputed(() => store.cube.value?.axes.get(info.name));
  const ticked = useComputed(() => active(store.where.value, info.name));
  const found = useSignal(-1);

  useEffect(() => {
    if (folded.value || !home.current || !group.current) return;
    const list = new ValueList((value, out) => store.toggle(info.name, value, out));
    home.current.append(list.element);
    const visible = seen.watch(group.current);
    const settled = seen.settled(store.result);
    const stop = effect(() => {
      const a = axis.value;
      // Facets in view repaint with the click; the others just after it, so that nobody ever reads an old number there.
      const result = visible.value ? store.result.value : settled.value;
      if (!a || !result) return;
      const where = visible.value ? store.where.value : store.where.peek();
      const { included, excluded } = marks(where, info.name);
      const counts = result.counts.get(info.name) ?? new Float64Array(a.values.length);
      const inSet = codes(a, included);
      const outSet = codes(a, excluded);
      let order: ArrayLike<number> = together(displayOrder(counts, ranks(a), new Set([...inSet, ...outSet])), kin(a), counts);
      const text = open.value ? query.value.trim().toLowerCase() : "";
      if (text) {
        order = Array.from(order).filter((code) => {
          const v = a.values[code]!;
          return `${valueText(v)} ${humanName(info.name, v)}`.toLowerCase().includes(text);
        });
      }
      found.value = text ? order.length : -1;
      const rows = open.value ? Math.min(OPEN_ROWS, Math.max(1, a.values.length)) : foldedRows(a, ticked.value);
      if (!open.value && order.length > rows) order = (order as Uint16Array).subarray(0, rows);
      list.show({ column: info.name, values: a.values, total: a.total, counts, order, included: inSet, excluded: outSet }, rows);
    });
    return () => {
      stop();
      seen.forget(group.current);
      list.dispose();
    };
  }, [folded.value]);

  const a = axis.value;
  if (!a) return null;
  const more = a.values.length - foldedRows(a, ticked.value);
  const searchable = open.value && a.values.length >= SEARCH_FROM;
  const expand = (focus: boolean): void => {
    folded.value = false;
    open.value = true;
    if (focus) requestAnimationFrame(() => search.current?.focus());
  };
  const close = (): void => {
    open.value = false;
    query.value = "";
  };
  return (
    <div class="idc-facet" role="group" aria-label={info.label} ref={group}>
      <div class="idc-facet-head">
        <button
          type="button"
          class="idc-fold"
          aria-expanded={!folded.value}
          title={info.description}
          onClick={() => (folded.value = !folded.value)}
        >
          <Icon name={folded.value ? "right" : "down"} />
          <span class="idc-facet-name">{info.label}</span>
          <span class="idc-facet-size">{count(a.values.length)}</span>
          {ticked.value > 0 && <span class="idc-badge">{ticked.value}</span>}
        </button>
        {a.values.length >= SEARCH_FROM && (
          <button
            type="button"
            class="idc-icon"
            aria-label={`Search ${info.label}`}
            aria-expanded={open.value}
            onClick={() => (open.value && !folded.value ? close() : expand(true))}
          >
            <Icon name="search" />
          </button>
        )}
      </div>
      {!folded.value && (
        <>
          {searchable && (
            <input
              ref={search}
              class="idc-input idc-facet-search"
              type="search"
              placeholder={`Search ${count(a.values.length)} values`}
              aria-label={`Search within ${info.label}`}
              value={query.value}
              onInput={(e) => (query.value = e.currentTarget.value)}
              onKeyDown={(e) => {
                if (e.key === "Escape") close();
                e.stopPropagation();
              }}
            />
          )}
          <div ref={home} class="idc-values-home">
            {found.value === 0 && <p class="idc-none">No value contains “{query.value.trim()}”.</p>}
          </div>
          {(more > 0 || open.value) && (
            <button type="button" class="idc-link idc-more" onClick={() => (open.value ? close() : expand(false))}>
              {open.value ? "Show fewer" : `${count(more)} more`}
            </button>
          )}
        </>
      )}
    </div>
  );
}

/** Rows of the short list: ticked values never drop out of it; the height does not change with the counts. */
const foldedRows = (axis: Axis, ticked: number): number => Math.min(axis.values.length, Math.max(FOLDED_ROWS, ticked));
