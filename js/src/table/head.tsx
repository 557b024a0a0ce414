// One header cell: sorts at a click, is dragged to another place, and its edge sets the width; all by keyboard too.

import { useRef } from "preact/hooks";
import type { Column, SortKey } from "../kernel/protocol";
import type { Store } from "../state/store";
import { numeric } from "./columns";
import { nextSort } from "./keys";
import { moveColumn, setWidth } from "./layout";

const STEP = 16; // pixels at a key

interface Props {
  store: Store;
  column: Column;
  index: number;
  count: number;
  width: number;
  sort: readonly SortKey[];
  first: boolean;
}

export function Header({ store, column, index, count, width, sort, first }: Props) {
  const cell = useRef<HTMLDivElement>(null);
  const at = sort.findIndex((s) => s.column === column.name);
  const key = sort[at];
  const state = !key ? "none" : key.descending ? "descending" : "ascending";
  const dragged = useRef(false);

  const onKeyDown = (e: KeyboardEvent): void => {
    const way = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
    if (!way || !(e.altKey || e.shiftKey)) return;
    e.preventDefault();
    e.stopPropagation();
    if (e.shiftKey) moveColumn(store, column.name, index + way);
    else setWidth(store, column.name, width + way * STEP);
  };

  /** Drags the column: where the pointer ends is its new place. */
  const drag = (down: PointerEvent): void => {
    if (down.button !== 0 || down.pointerType === "touch") return; // fingers scroll
    const head = cell.current!.parentElement!;
    const cells = [...head.querySelectorAll<HTMLElement>(".idc-th")];
    let to = index;
    dragged.current = false;
    const move = (e: PointerEvent): void => {
      if (!dragged.current && Math.abs(e.clientX - down.clientX) < 6) return;
      dragged.current = true;
      cell.current?.classList.add("idc-dragged");
      const found = cells.findIndex((c) => e.clientX < c.getBoundingClientRect().right);
      to = found < 0 ? count - 1 : found;
      cells.forEach((c, i) => {
        c.classList.toggle("idc-drop-before", i === to && to < index);
        c.classList.toggle("idc-drop-after", i === to && to > index);
      });
    };
    follow(move, (done) => {
      for (const c of cells) c.classList.remove("idc-dragged", "idc-drop-before", "idc-drop-after");
      if (done && dragged.current) moveColumn(store, column.name, to);
    });
  };

  const resize = (down: PointerEvent): void => {
    down.preventDefault();
    down.stopPropagation();
    follow((e) => setWidth(store, column.name, width + e.clientX - down.clientX), () => {});
  };

  return (
    <div
      ref={cell}
      class={`idc-cell idc-th${numeric(column) ? " idc-num" : ""}${first ? " idc-first" : ""}`}
      role="columnheader"
      aria-sort={state}
      data-column={column.name}
    >
      <button
        type="button"
        title={`${column.label}${column.description ? `: ${column.description}` : ""}\n\nClick to sort, Shift+click to sort by it too. Alt+← → width, Shift+← → place.`}
        aria-keyshortcuts="Alt+ArrowLeft Alt+ArrowRight Shift+ArrowLeft Shift+ArrowRight"
        onPointerDown={drag}
        onKeyDown={onKeyDown}
        onClick={(e) => {
          if (dragged.current) dragged.current = false; // the end of a drag is no click
          else store.setSort(nextSort(sort, column.name, e.shiftKey));
        }}
      >
        <span>{column.label}</span>
        {key && (
          <span class="idc-sort" aria-hidden="true">
            {key.descending ? "▼" : "▲"}
            {sort.length > 1 ? at + 1 : ""}
          </span>
        )}
      </button>
      <span
        class="idc-edge"
        aria-hidden="true"
        title="Drag to set the width; double-click for the usual one"
        onPointerDown={resize}
        onDblClick={() => setWidth(store, column.name, null)}
      />
    </div>
  );
}

/** Follows the pointer until it is let go, or Escape is pressed. */
function follow(move: (e: PointerEvent) => void, end: (done: boolean) => void): void {
  const abort = new AbortController();
  const { signal } = abort;
  const stop = (done: boolean): void => {
    abort.abort();
    end(done);
  };
  window.addEventListener("pointermove", move, { signal });
  window.addEventListener("pointerup", () => stop(true), { signal });
  window.addEventListener("pointercancel", () => stop(false), { signal });
  window.addEventListener("keydown", (e) => e.key === "Escape" && stop(false), { signal, capture: true });
}
