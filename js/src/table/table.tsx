// The result table: header, rows, and what is said when there are none or they are late.

import { effect, type Signal, untracked, useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { same } from "../cube/condition";
import type { Column } from "../link/protocol";
import type { Store } from "../link/store";
import { allOf, NONE } from "../selection/ticks";
import { fit, numeric, TICK_WIDTH } from "./columns";
import { Grid, HEAD_HEIGHT } from "./grid";
import { nextSort } from "./keys";
import { Rows } from "./rows";

export function ResultTable({ store, id }: { store: Store; id: string }) {
  const gridRef = useRef<HTMLDivElement>(null);
  const spacer = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const [rows] = useState(() => new Rows(store.link));
  const rangeError = useSignal("");
  const width = useSignal(0);
  const height = useSignal(0);
  const known = useSignal(0); // the last number of rows that was sure
  const columns = useComputed(() => (store.catalog.value?.columns ?? []).filter((c) => c.default !== false));
  const widths = useComputed(() => fit(columns.value, width.value || 900));

  useEffect(() => {
    const element = gridRef.current!;
    const tickRange = (from: number, to: number, on: boolean): void => {
      const query = rows.query;
      if (!query) return;
      const apply = (ids: readonly number[]): void => {
        rangeError.value = "";
        store.setTicks(store.tickSet.peek().with(ids, on, null));
      };
      const here = loaded(rows, from, to);
      if (here) return apply(here);
      store.link.request<{ rows: number[] }>("range", { where: query.where, sort: query.sort, from, to }).then(
        (r) => same(query, rows.query) && apply(r.rows),
        (e: Error) => (rangeError.value = e.message),
      );
    };
    const grid = new Grid(
      { grid: element, spacer: spacer.current!, body: body.current! },
      store,
      rows,
      {
        tick: (_row, rowId, inBase, on) => store.setTicks(store.tickSet.peek().with([rowId], on, inBase)),
        tickRange,
      },
      `${id}-cell`,
    );
    const stops = [
      follow(element, width, height),
      effect(() => {
        const list = columns.value;
        const where = store.where.value;
        const sort = store.sort.value;
        const base = store.ticks.value.base;
        if (!list.length) return;
        const before = rows.query;
        const ticksBase = base && !same(base, where) ? base : null;
        untracked(() => {
          if (!rows.ask({ where, sort, columns: list.map((c) => c.name), ticksBase })) return;
          rangeError.value = "";
          grid.setColumns(list);
          if (before && !(same(before.where, where) && same(before.sort, sort))) grid.toTop();
        });
      }),
      effect(() => {
        const total = rows.total.value ?? (store.current.value ? (store.result.value?.series ?? null) : null);
        if (total !== null) known.value = total;
      }),
      effect(() => {
        grid.resize(known.value, height.value - HEAD_HEIGHT);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      rows.stop();
      grid.dispose();
    };
  }, []);

  const sort = store.sort.value;
  const list = columns.value;
  const sure = rows.total.value !== null || store.current.value;
  const empty = sure && known.value === 0 && list.length > 0;
  const template = `${TICK_WIDTH}px ${widths.value.map((w) => `${w}px`).join(" ")}`;
  const all = TICK_WIDTH + widths.value.reduce((a, b) => a + b, 0);
  const toggleAll = (): void =>
    store.setTicks(store.allTicked.value === true ? NONE : allOf(store.where.value));
  return (
    <div class="idc-table">
      <div
        ref={gridRef}
        class="idc-grid"
        role="grid"
        tabIndex={0}
        aria-label="Results"
        aria-rowcount={known.value + 1}
        aria-colcount={list.length + 1}
        aria-multiselectable="true"
        aria-busy={!sure}
      >
        <div ref={spacer} class="idc-spacer" style={{ "--idc-cols": template, width: `${all}px` }}>
          <div class="idc-window">
            <div class="idc-head" role="row" aria-rowindex={1}>
              <div class="idc-cell idc-tick" role="columnheader" aria-label="Ticked">
                <span
                  class="idc-box"
                  role="checkbox"
                  tabIndex={0}
                  aria-checked={store.allTicked.value}
                  aria-label="Tick all that match"
                  title="Tick all that match"
                  onClick={toggleAll}
                  onKeyDown={(e) => {
                    if (e.key !== " " && e.key !== "Enter") return;
                    e.preventDefault();
                    e.stopPropagation();
                    toggleAll();
                  }}
                />
              </div>
              {list.map((c) => (
                <Header key={c.name} store={store} column={c} sort={sort} />
              ))}
            </div>
            <div ref={body} class="idc-body" />
          </div>
        </div>
      </div>
      {empty && (
        <div class="idc-empty">
          <p>No series matches these filters.</p>
          <button type="button" class="idc-button" onClick={() => store.setWhere([])}>
            Clear all filters
          </button>
        </div>
      )}
      {store.link.waiting.value && (
        <p class="idc-waiting" role="status">
          Waiting for the notebook kernel, which is busy; the table follows as soon as it is free.
        </p>
      )}
      {(rows.error.value || rangeError.value) && (
        <div class="idc-error idc-table-error" role="alert">
          <span>{rows.error.value || rangeError.value}</span>
          <button
            type="button"
            class="idc-link"
            onClick={() => {
              if (rows.error.value) rows.retry();
              rangeError.value = "";
            }}
          >
            {rows.error.value ? "Try again" : "Dismiss"}
          </button>
        </div>
      )}
    </div>
  );
}

function Header({ store, column, sort }: { store: Store; column: Column; sort: readonly { column: string; descending: boolean }[] }) {
  const at = sort.findIndex((s) => s.column === column.name);
  const key = sort[at];
  const state = !key ? "none" : key.descending ? "descending" : "ascending";
  return (
    <div class={`idc-cell idc-th${numeric(column) ? " idc-num" : ""}`} role="columnheader" aria-sort={state}>
      <button
        type="button"
        title={column.description ? `${column.label}: ${column.description}` : column.label}
        onClick={(e) => store.setSort(nextSort(sort, column.name, e.shiftKey))}
      >
        <span>{column.label}</span>
        {key && (
          <span class="idc-sort" aria-hidden="true">
            {key.descending ? "▼" : "▲"}
            {sort.length > 1 ? at + 1 : ""}
          </span>
        )}
      </button>
    </div>
  );
}

/** Follows the inner size of an element. */
function follow(element: HTMLElement, width: Signal<number>, height: Signal<number>): () => void {
  const read = (): void => {
    height.value = element.clientHeight;
    width.value = element.clientWidth;
  };
  const observer = new ResizeObserver(read);
  observer.observe(element);
  read();
  return () => observer.disconnect();
}

/** The row ids of a range when all its rows are here. */
function loaded(rows: Rows, from: number, to: number): number[] | null {
  if (to - from > 1000) return null;
  const ids: number[] = [];
  for (let i = from; i <= to; i++) {
    const found = rows.at(i);
    if (!found || found.stale) return null;
    ids.push(found.row[0] as number);
  }
  return ids;
}
