// The scrolled body of the table: only rows in view exist, and they are rewritten as it scrolls.

import { effect } from "@preact/signals";
import type { Column } from "../link/protocol";
import type { Store } from "../link/store";
import { makeRow, markRow, type RowSlot, writeRow } from "./cells";
import { move, type Place } from "./keys";
import type { Rows } from "./rows";
import { Scroller } from "./scroller";

export const ROW_HEIGHT = 30;
export const HEAD_HEIGHT = 32;
const RESYNC_MS = 150;

export interface GridParts {
  /** The scrolled element, with role grid. */
  grid: HTMLElement;
  /** As tall as all rows (or as a browser allows). */
  spacer: HTMLElement;
  /** Holds the rows, stays in view. */
  body: HTMLElement;
}

export interface GridActions {
  tick(row: number, id: number, inBase: boolean, on: boolean): void;
  tickRange(from: number, to: number, on: boolean): void;
}

export class Grid {
  readonly #scroller = new Scroller(ROW_HEIGHT);
  readonly #slots: RowSlot[] = [];
  #columns: readonly Column[] = [];
  #active: Place = { row: 0, column: 0 };
  /** Where a range starts, and whether it ticks or unticks. */
  #anchor = 0;
  #anchorOn = true;
  #dragging = false;
  #resync: ReturnType<typeof setTimeout> | undefined;
  readonly #abort = new AbortController();
  readonly #stop: (() => void)[] = [];
  #frame = 0;

  constructor(
    readonly parts: GridParts,
    readonly store: Store,
    readonly rows: Rows,
    readonly actions: GridActions,
    readonly id: string,
  ) {
    const { grid } = parts;
    const signal = this.#abort.signal;
    grid.addEventListener("scroll", () => this.#scrolled(), { passive: true, signal });
    grid.addEventListener("wheel", (e) => this.#wheel(e), { passive: false, signal });
    grid.addEventListener("keydown", (e) => this.#key(e), { signal });
    grid.addEventListener("click", (e) => this.#click(e), { signal });
    // A shift-click would select text across the table.
    parts.body.addEventListener("mousedown", (e) => e.shiftKey && e.preventDefault(), { signal });
    this.#stop.push(
      effect(() => {
        rows.version.value;
        store.tickSet.value;
        this.#schedule();
      }),
    );
  }

  dispose(): void {
    this.#abort.abort();
    clearTimeout(this.#resync);
    cancelAnimationFrame(this.#frame);
    for (const stop of this.#stop) stop();
    for (const slot of this.#slots) slot.element.remove();
  }

  setColumns(columns: readonly Column[]): void {
    if (columns === this.#columns) return;
    this.#columns = columns;
    for (const slot of this.#slots.splice(0)) slot.element.remove();
    this.#schedule();
  }

  /** Changes how many rows there are and how high the view is (the header not counted). */
  resize(rows: number, height: number): void {
    const s = this.#scroller;
    if (s.rows === rows && s.view === height) return;
    s.resize(rows, Math.max(0, height));
    this.#active.row = Math.max(0, Math.min(this.#active.row, rows - 1));
    this.#schedule();
  }

  toTop(): void {
    this.#scroller.moveTo(0);
    this.#active = { row: 0, column: this.#active.column };
    this.#setAnchor(0, true);
    this.#schedule();
  }

  /** Paints once in the next frame, however many reasons there are. */
  #schedule(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#place();
      this.#paint();
    });
  }

  /** Makes the page's scrollbar say what the scroller says. */
  #place(): void {
    const { grid, spacer } = this.parts;
    const s = this.#scroller;
    const height = `${s.height + HEAD_HEIGHT}px`;
    if (spacer.style.height !== height) spacer.style.height = height;
    // Fingers and scaled bars drift; that is put right when all is at rest.
    if (this.#resync !== undefined || Math.abs(s.seen - s.bar) < 1) return;
    grid.scrollTop = s.bar;
    s.placed();
  }

  #scrolled(): void {
    const s = this.#scroller;
    const jumped = s.scrolled(this.parts.grid.scrollTop);
    this.#dragging = jumped;
    clearTimeout(this.#resync);
    // After natural distances on a scaled bar, the bar is put where it belongs, once all is at rest.
    this.#resync = setTimeout(() => {
      this.#resync = undefined;
      this.#dragging = false;
      this.#schedule();
    }, RESYNC_MS);
    this.#schedule();
  }

  #wheel(e: WheelEvent): void {
    const s = this.#scroller;
    if (!s.scaled || e.ctrlKey || e.shiftKey || e.deltaY === 0) return; // the browser's own scrolling will do
    const unit = e.deltaMode === 1 ? ROW_HEIGHT : e.deltaMode === 2 ? s.view : 1;
    const before = s.top;
    s.moveBy(e.deltaY * unit);
    if (s.top === before) return; // at an end: let the page scroll
    e.preventDefault();
    if (e.deltaX) this.parts.grid.scrollLeft += e.deltaX;
    this.#settle();
    this.#schedule();
  }

  /** What the person does now ends any drift of the bar. */
  #settle(): void {
    clearTimeout(this.#resync);
    this.#resync = undefined;
    this.#dragging = false;
  }

  #paint(): void {
    if (!this.#columns.length) return;
    const s = this.#scroller;
    const [first, end] = s.range();
    const n = end - first;
    while (this.#slots.length < n) {
      const slot = makeRow(this.#columns, `${this.id}-${this.#slots.length}`);
      this.parts.body.append(slot.element);
      this.#slots.push(slot);
    }
    toggle(this.parts.body, "idc-stale", this.rows.stale);
    const shift = first * ROW_HEIGHT - s.top;
    const ticks = this.store.tickSet.peek();
    const wholeBase = this.rows.query?.ticksBase == null && ticks.ticks.base !== null;
    this.#slots.forEach((slot, i) => {
      const { element } = slot;
      if (i >= n) {
        if (!element.hidden) element.hidden = true;
        return;
      }
      const index = first + i;
      const found = this.rows.at(index);
      if (element.hidden) element.hidden = false;
      const at = `translateY(${Math.round(i * ROW_HEIGHT + shift)}px)`;
      if (element.style.transform !== at) element.style.transform = at;
      if (slot.index !== index) {
        slot.index = index;
        element.setAttribute("aria-rowindex", String(index + 2)); // the header is row 1
      }
      writeRow(slot, this.#columns, found?.row ?? null);
      const ticked = found !== null && !found.stale && ticks.has(found.row[0] as number, wholeBase || found.row.at(-1) === true);
      slot.box.setAttribute("aria-label", `Tick row ${index + 1}`);
      markRow(slot, ticked, index === this.#active.row ? this.#active.column : -1);
    });
    const activeSlot = this.#active.row - first;
    const active = activeSlot >= 0 && activeSlot < n ? `${this.id}-${activeSlot}-${this.#active.column}` : "";
    const { grid } = this.parts;
    if (active) {
      if (grid.getAttribute("aria-activedescendant") !== active) grid.setAttribute("aria-activedescendant", active);
    } else grid.removeAttribute("aria-activedescendant");
    if (s.rows > 0 && s.view > 0) this.rows.want(first, end, this.#dragging);
  }

  #slotAt(target: EventTarget | null): RowSlot | undefined {
    const element = target instanceof Element ? target.closest(".idc-row") : null;
    return element ? this.#slots.find((s) => s.element === element) : undefined;
  }

  #click(e: MouseEvent): void {
    const slot = this.#slotAt(e.target);
    if (!slot) return;
    const cells = [slot.box.parentElement!, ...slot.cells];
    const column = Math.max(0, cells.findIndex((c) => c.contains(e.target as Node)));
    this.#active = { row: slot.index, column };
    if (e.shiftKey) this.#range(slot.index);
    else if (column === 0) this.#tick(slot.index);
    else this.#setAnchor(slot.index, true);
    this.#schedule();
  }

  #setAnchor(index: number, on: boolean): void {
    this.#anchor = index;
    this.#anchorOn = on;
  }

  #isTicked(index: number): boolean {
    const found = this.rows.at(index);
    const ticks = this.store.tickSet.peek();
    const inBase = this.rows.query?.ticksBase == null ? ticks.ticks.base !== null : found?.row.at(-1) === true;
    return found !== null && ticks.has(found.row[0] as number, inBase);
  }

  #tick(index: number): void {
    const found = this.rows.at(index);
    if (!found || found.stale) return;
    const base = this.store.ticks.peek().base;
    const inBase = base !== null && (this.rows.query?.ticksBase == null || found.row.at(-1) === true);
    const on = !this.#isTicked(index);
    this.#setAnchor(index, on);
    this.actions.tick(index, found.row[0] as number, inBase, on);
  }

  #range(to: number): void {
    this.actions.tickRange(Math.min(this.#anchor, to), Math.max(this.#anchor, to), this.#anchorOn);
  }

  #key(e: KeyboardEvent): void {
    if (e.target !== this.parts.grid || e.altKey) return;
    const s = this.#scroller;
    const ctrl = e.ctrlKey || e.metaKey;
    if (e.key === " " && !ctrl) {
      if (e.shiftKey) this.#range(this.#active.row);
      else this.#tick(this.#active.row);
    } else {
      const page = Math.max(1, Math.floor(s.view / ROW_HEIGHT) - 1);
      const to = move(e.key, ctrl, this.#active, { rows: s.rows, columns: this.#columns.length + 1, page });
      if (!to || s.rows === 0) {
        // The notebook's own shortcuts (select all cells, delete one) are not meant while the table has the keyboard.
        if (e.key.length === 1) e.stopPropagation();
        if (ctrl && e.key.toLowerCase() === "a") e.preventDefault();
        return;
      }
      const vertical = to.row !== this.#active.row;
      this.#active = to;
      s.reveal(to.row);
      this.#settle();
      if (e.shiftKey && vertical) this.#range(to.row);
      else if (vertical) this.#setAnchor(to.row, true);
    }
    e.preventDefault();
    e.stopPropagation(); // the notebook has shortcuts of its own
    this.#schedule();
    requestAnimationFrame(() => this.#revealColumn());
  }

  /** Scrolls sideways so that the active cell is in view. */
  #revealColumn(): void {
    const { grid } = this.parts;
    const cell = this.#slots[this.#active.row - this.#scroller.range()[0]]?.element.children[this.#active.column];
    if (!(cell instanceof HTMLElement)) return;
    const left = cell.offsetLeft;
    if (left < grid.scrollLeft) grid.scrollLeft = left;
    else if (left + cell.offsetWidth > grid.scrollLeft + grid.clientWidth)
      grid.scrollLeft = left + cell.offsetWidth - grid.clientWidth;
  }
}

function toggle(e: Element, name: string, on: boolean): void {
  if (e.classList.contains(name) !== on) e.classList.toggle(name, on);
}
