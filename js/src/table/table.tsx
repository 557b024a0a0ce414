// The result table: tools, header, rows, details, and what is said when there are none or they are late.

import { effect, type Signal, untracked, useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { canonical, same, type Where } from "../cohort/condition";
import { DetailPane, type Focus } from "../detail/pane";
import { Others } from "../filters/readings";
import { Status } from "../filters/status";
import type { Crumb, Ticks } from "../kernel/protocol";
import { below, keys, nameOf, noun } from "../state/levels";
import type { Store } from "../state/store";
import { nothing } from "../state/ticks";
import { copyText } from "../ui/clipboard";
import { fit, TICK_WIDTH, tight } from "./columns";
import { Grid, HEAD_HEIGHT } from "./grid";
import { Header } from "./head";
import { levelOf, shown } from "./layout";
import { Marks } from "./marks";
import { Ticking } from "./ticking";
import { Breadcrumb, Toolbar } from "./toolbar";
import { type Item, Tree } from "./tree";

const SAID_MS = 2500;

export function ResultTable({ store, id }: { store: Store; id: string }) {
  const gridRef = useRef<HTMLDivElement>(null);
  const spacer = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const [tree] = useState(() => new Tree(store.link));
  const [marks] = useState(() => new Marks(store));
  const [ticking] = useState(() => new Ticking(store, tree, marks));
  const grid = useRef<Grid | null>(null);
  const width = useSignal(0);
  const height = useSignal(0);
  const known = useSignal(0); // the last number of rows that was sure
  const length = useSignal(0); // with what is unfolded
  const only = useSignal<Ticks | null>(null);
  const pane = useSignal(false);
  const focus = useSignal<Focus | null>(null);
  const said = useSignal("");
  const columns = useComputed(() => shown(store.catalog.value, store.table.value));
  const widths = useComputed(() => fit(columns.value, width.value || 900, store.table.value.widths));
  const rows = tree.root.rows;

  const scope = useComputed(() => (store.table.value.scope ?? []).flatMap((c) => c.where));
  const where = useComputed<Where>(() => [...(only.value ? [] : store.where.value), ...scope.value]);
  const say = (text: string): void => {
    said.value = text;
    setTimeout(() => said.value === text && (said.value = ""), SAID_MS);
  };
  const back = (): void => gridRef.current?.focus({ preventScroll: true });
  const details = (shown: boolean): void => {
    // Those that are shown already stay when the kernel goes.
    if (shown && !store.live.peek()) say("Details need a running kernel: run the cell again.");
    else pane.value = shown;
  };
  const open = (item: Item | null): void => {
    if (!item?.row || item.stale) return;
    const { level } = item.node;
    const inside = below(level);
    if (!inside) details(true);
    else {
      const chain = [...crumbsOf(item, tree), { level, label: nameOf(level, item.read), where: keys(level, item.read) }];
      store.setTable({ level: inside, scope: [...(store.table.peek().scope ?? []), ...chain] });
    }
  };

  useEffect(() => {
    const element = gridRef.current!;
    const made = (grid.current = new Grid(
      { grid: element, spacer: spacer.current!, body: body.current! },
      store,
      tree,
      marks,
      {
        tick: (item, on) => ticking.tick(item, on),
        tickRange: (from, to, on) => ticking.range(from, to, on),
        fold: (item) => tree.toggle(item),
        focus: (item) => {
          const found = { level: item.node.level, row: item.row![0] as number };
          if (!same(focus.peek(), found)) focus.value = found;
        },
        open,
        details: () => details(!pane.peek()),
        copied: (text) => {
          if (!text || copyText(text)) say(text ? "Row copied." : "Copied.");
        },
      },
      `${id}-cell`,
    ));
    const stops = [
      follow(element, width, height),
      ticking.start(),
      effect(() => {
        const list = columns.value;
        const question = {
          level: levelOf(store.table.value), where: where.value, sort: store.sort.value, columns: list.map((c) => c.name), only: only.value,
        };
        if (!list.length) return;
        untracked(() => {
          const before = tree.question;
          if (!tree.ask(question)) return;
          ticking.error.value = "";
          made.setColumns(list);
          if (before && canonical({ ...before, columns: 0 }) === canonical({ ...question, columns: 0 })) return;
          marks.forget();
          if (before) made.toTop();
          focus.value = null;
        });
      }),
      effect(() => {
        const series = store.current.value && !only.value && !scope.value.length && levelOf(store.table.value) === "series";
        const total = rows.total.value ?? (series ? (store.result.value?.series ?? null) : null);
        if (total !== null) known.value = total;
      }),
      effect(() => {
        tree.version.value;
        length.value = tree.length(known.value);
        made.resize(length.value, height.value - HEAD_HEIGHT);
      }),
      // When nothing is ticked any more, there is nothing to show alone.
      effect(() => {
        if (nothing(store.ticks.value) && only.peek()) only.value = null;
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      tree.stop();
      made.dispose();
    };
  }, []);

  const level = levelOf(store.table.value);
  const sort = store.sort.value;
  const list = columns.value;
  const sure = rows.total.value !== null || (store.current.value && level === "series" && !only.value);
  const empty = sure && known.value === 0 && list.length > 0;
  const template = `${TICK_WIDTH}px ${widths.value.map((w) => `${w}px`).join(" ")}`;
  const all = TICK_WIDTH + widths.value.reduce((a, b) => a + b, 0);
  const error = rows.error.value || ticking.error.value;
  const toggleAll = (): void => ticking.toggleAll();
  return (
    <div class={`idc-table-area${pane.value ? " idc-with-pane" : ""}`}>
      <Toolbar store={store} tree={tree} total={known.value} only={only} pane={pane} />
      <Breadcrumb store={store} />
      {only.value && (
        <p class="idc-only" role="status">
          Only what was ticked, whatever the filters say.{" "}
          <button type="button" class="idc-link" onClick={() => (only.value = null)}>
            Show all that match
          </button>
        </p>
      )}
      <div class="idc-table-row">
        <div class="idc-table">
          <div
            ref={gridRef}
            class={`idc-grid${tight(list, widths.value) ? " idc-tight" : ""}`}
            role="grid"
            tabIndex={0}
            aria-label="Results"
            aria-rowcount={length.value + 1}
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
                      aria-checked={ticking.all.value}
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
                  {list.map((c, i) => (
                    <Header
                      key={c.name} store={store} column={c} index={i} count={list.length} width={widths.value[i]!} sort={sort} first={i === 0}
                    />
                  ))}
                </div>
                <div ref={body} class="idc-body" />
              </div>
            </div>
          </div>
          {empty && (
            <div class="idc-empty">
              <p>No {noun(level)} matches{only.value ? " what was ticked" : " these filters"}.</p>
              {!only.value && <Ways store={store} done={() => gridRef.current?.focus({ preventScroll: true })} />}
            </div>
          )}
          <div class="idc-notes">
            <Status store={store} />
            {store.link.waiting.value && (
              <p class="idc-note idc-waiting" role="status">
                The kernel has not answered yet: filters go on, the table follows.
              </p>
            )}
            {error && (
              <div class="idc-note idc-error" role="alert">
                <span>{error}</span>
                <button
                  type="button"
                  class="idc-link"
                  onClick={() => {
                    if (rows.error.value) rows.retry();
                    ticking.error.value = "";
                  }}
                >
                  {rows.error.value ? "Try again" : "Dismiss"}
                </button>
              </div>
            )}
          </div>
        </div>
        {pane.value && (
          <DetailPane
            store={store}
            focus={focus}
            open={() => open(grid.current?.current() ?? null)}
            close={() => {
              pane.value = false;
              requestAnimationFrame(back); // once the table is to be seen again
            }}
            say={say}
          />
        )}
        <p class={said.value ? "idc-toast" : "idc-hidden"} role="status">
          {said.value}
        </p>
      </div>
    </div>
  );
}

/** What to do where nothing matches: the nearest first. */
function Ways({ store, done }: { store: Store; done(): void }) {
  const where = store.where.value;
  return (
    <div class="idc-ways" onClick={(e) => e.target !== e.currentTarget && done()}>
      {store.live.value && <Others store={store} style="idc-button" some />}
      {where.length > 1 && (
        <button type="button" class="idc-button" onClick={() => store.setWhere(where.slice(0, -1))}>
          Remove the last filter
        </button>
      )}
      <button type="button" class="idc-button" onClick={() => store.setWhere([])}>
        Clear all filters
      </button>
    </div>
  );
}

/** The rows that an expanded row's children stand in, the outermost first. */
function crumbsOf(item: Item, tree: Tree): Crumb[] {
  const chain: Crumb[] = [];
  for (let { node } = item; node.parent; node = node.parent) {
    const { level } = node.parent;
    const { read } = tree.at(tree.position(node.parent, node.at));
    chain.unshift({ level, label: nameOf(level, read), where: keys(level, read) });
  }
  return chain;
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
