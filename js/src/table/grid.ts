// The scrolled body of the table: only rows in view exist, and they are rewritten as it scrolls.

import { effect } from "@preact/signals";
import type { Column } from "../kernel/protocol";
import { IDENTIFIERS } from "../state/levels";
import type { Store } from "../state/store";
import { Scroller } from "../ui/scroller";
import { makeRow, markRow, type RowSlot, textOf, toggle, writeRow } from "./cells";
import { type Action, action, type Place } from "./keys";
import type { Marks } from "./marks";
import { Tip } from "./tip";
import type { Item, Tree } from "./tree";
import { Whereabouts } from "./whereabouts";

export const ROW_HEIGHT = 30;
export const HEAD_HEIGHT = 32;
const RESYNC_MS = 150;
const FAR = 10_000; // rows
const DIM_MS = 150; // most answers are there sooner: rows need not flash, nor the click's frame paint them all

export interface GridParts {
  /** The scrolled element, with role grid. */
  grid: HTMLElement;
  /** As tall as all rows (or as a browser allows). */
  spacer: HTMLElement;
  /** Holds the rows, stays in view. */
  body: HTMLElement;
}

export interface GridActions {
  tick(item: Item, on: boolean): void;
  /** Rows of the view, both ends included. */
  tickRange(from: number, to: number, on: boolean): void;
  fold(item: Item): void;
  /** The row that the keyboard or the mouse is at. */
  focus(item: Item): void;
  /** Opens a row: what it holds, or its details. */
  open(item: Item): void;
  details(item: Item): void;
  copied(what: string): void;
}

export class Grid {
  readonly #scroller = new Scroller(ROW_HEIGHT);
  readonly #slots: RowSlot[] = [];
  readonly #tip: Tip;
  readonly #hint: Whereabouts;
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
  #dimming: ReturnType<typeof setTimeout> | undefined;
  /** The row whose place is the body's own; others stand at a distance that browsers can draw. */
  #origin = 0;

  constructor(
    readonly parts: GridParts,
    readonly store: Store,
    readonly tree: Tree,
    readonly marks: Marks,
    readonly actions: GridActions,
    readonly id: string,
  ) {
    const { grid } = parts;
    const signal = this.#abort.signal;
    this.#tip = new Tip(grid.parentElement!);
    this.#hint = new Whereabouts(grid.parentElement!);
    grid.addEventListener("scroll", () => this.#scrolled(), { passive: true, signal });
    grid.addEventListener("wheel", (e) => this.#wheel(e), { passive: false, signal });
    grid.addEventListener("keydown", (e) => this.#key(e), { signal });
    grid.addEventListener("copy", (e) => this.#copy(e), { signal });
    grid.addEventListener("click", (e) => this.#click(e), { signal });
    grid.addEventListener("dblclick", (e) => this.#doubleClick(e), { signal });
    grid.addEventListener("blur", () => this.#tip.hide(), { signal });
    // A shift-click would select text across the table.
    parts.body.addEventListener("mousedown", (e) => (e.shiftKey || e.detail > 1) && e.preventDefault(), { signal });
    this.#stop.push(
      effect(() => {
        tree.version.value;
        marks.version.value;
        store.tickSet.value;
        this.#schedule();
      }),
    );
  }

  dispose(): void {
    this.#abort.abort();
    clearTimeout(this.#resync);
    clearTimeout(this.#dimming);
    cancelAnimationFrame(this.#frame);
    for (const stop of this.#stop) stop();
    for (const slot of this.#slots) slot.element.remove();
    this.#tip.hide();
  }

  setColumns(columns: readonly Column[]): void {
    if (columns === this.#columns) return;
    this.#columns = columns;
    this.#active.column = Math.min(this.#active.column, columns.length);
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

  /** The item that the keyboard is at, if there is one. */
  current(): Item | null {
    return this.#scroller.rows > 0 ? this.tree.at(this.#active.row) : null;
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
    this.#tip.hide();
    clearTimeout(this.#resync);
    // After natural distances on a scaled bar, the bar is put where it belongs, once all is at rest.
    this.#resync = setTimeout(() => {
      this.#settle();
      this.#inOrder();
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
    this.#tip.hide();
    this.#settle();
    this.#schedule();
  }

  /** Screen readers read elements as they follow each other: put right at rest. */
  #inOrder(): void {
    const rows = this.#slots.filter((slot) => slot.position >= 0).sort((a, b) => a.position - b.position);
    let before: Element | null = null;
    for (const { element } of rows) {
      const next: Element | null = before ? before.nextElementSibling : this.parts.body.firstElementChild;
      if (next !== element) this.parts.body.insertBefore(element, next);
      before = element;
    }
  }

  /** What the person does now ends any drift of the bar. */
  #settle(): void {
    clearTimeout(this.#resync);
    this.#resync = undefined;
    this.#dragging = false;
    this.#hint.hide();
  }

  #paint(): void {
    if (!this.#columns.length) return;
    const s = this.#scroller;
    const { body } = this.parts;
    const [first, end] = s.range();
    const n = Math.ceil(s.view / ROW_HEIGHT) + 1;
    while (this.#slots.length < n) {
      const slot = makeRow(this.#columns, `${this.id}-${this.#slots.length}`);
      body.append(slot.element);
      this.#slots.push(slot);
    }
    this.#dim();
    // A row keeps its element while it is in view: a step of the wheel moves the body and rewrites one row.
    if (Math.abs(first - this.#origin) > FAR) this.#origin = first;
    const shift = `translateY(${Math.round(this.#origin * ROW_HEIGHT - s.top)}px)`;
    if (body.style.transform !== shift) body.style.transform = shift;
    const items: Item[] = [];
    const all = this.#slots.length;
    this.#slots.forEach((slot, i) => {
      const { element } = slot;
      const position = first + ((((i - first) % all) + all) % all);
      if (position >= end) {
        if (!element.hidden) element.hidden = true;
        slot.position = -1;
        return;
      }
      const item = this.tree.at(position);
      items.push(item);
      if (element.hidden) element.hidden = false;
      const at = `translateY(${(position - this.#origin) * ROW_HEIGHT}px)`;
      if (slot.at !== at) element.style.transform = slot.at = at;
      if (slot.position !== position) {
        slot.position = position;
        element.setAttribute("aria-rowindex", String(position + 2)); // the header is row 1
        slot.box.setAttribute("aria-label", `Tick row ${position + 1}`);
      }
      writeRow(slot, this.#columns, item);
      markRow(slot, this.marks.of(item), position === this.#active.row ? this.#active.column : -1);
    });
    if (this.#dragging && items.some((item) => !item.row)) {
      this.#hint.show(first, s.rows, s.top / s.maxTop);
    }
    const activeSlot = this.#slots.findIndex((slot) => slot.position === this.#active.row);
    const active = activeSlot >= 0 ? `${this.id}-${activeSlot}-${this.#active.column}` : "";
    const { grid } = this.parts;
    if (active) {
      if (grid.getAttribute("aria-activedescendant") !== active) grid.setAttribute("aria-activedescendant", active);
    } else grid.removeAttribute("aria-activedescendant");
    if (s.rows > 0 && s.view > 0) {
      this.tree.want(first, end, this.#dragging);
      this.marks.want(items);
      const current = this.current();
      if (current?.row && !current.stale) this.actions.focus(current);
    } else if (s.view > 0 && this.tree.root.rows.total.peek() === null) {
      this.tree.root.rows.want(0, 1, false); // how many there are is not known before the first page
    }
  }

  /** Dims rows of the question before, once the answer keeps them waiting. */
  #dim(): void {
    const { rows } = this.tree.root;
    const dim = (): void => toggle(this.parts.body, "idc-stale", rows.stale);
    if (rows.stale) {
      this.#dimming ??= setTimeout(dim, DIM_MS);
      return;
    }
    clearTimeout(this.#dimming);
    this.#dimming = undefined;
    dim();
  }

  #slotAt(target: EventTarget | null): RowSlot | undefined {
    const element = target instanceof Element ? target.closest(".idc-row") : null;
    return element ? this.#slots.find((s) => s.element === element) : undefined;
  }

  #columnAt(slot: RowSlot, target: EventTarget | null): number {
    return 1 + slot.cells.findIndex((c) => c.contains(target as globalThis.Node));
  }

  #click(e: MouseEvent): void {
    const slot = this.#slotAt(e.target);
    if (!slot) return;
    const column = this.#columnAt(slot, e.target);
    this.#active = { row: slot.position, column };
    if (slot.twisty.contains(e.target as globalThis.Node)) this.actions.fold(this.tree.at(slot.position));
    else if (e.shiftKey) this.#range(slot.position);
    else if (column === 0) this.#tick(slot.position);
    else this.#setAnchor(slot.position, true);
    this.#tip.hide();
    this.#schedule();
  }

  #doubleClick(e: MouseEvent): void {
    const slot = this.#slotAt(e.target);
    if (!slot || this.#columnAt(slot, e.target) === 0 || slot.twisty.contains(e.target as globalThis.Node)) return;
    this.actions.open(this.tree.at(slot.position));
  }

  #setAnchor(position: number, on: boolean): void {
    this.#anchor = position;
    this.#anchorOn = on;
  }

  #tick(position: number): void {
    const item = this.tree.at(position);
    if (!item.row || item.stale) return;
    const on = this.marks.of(item) !== true;
    this.#setAnchor(position, on);
    this.actions.tick(item, on);
  }

  #range(to: number): void {
    this.actions.tickRange(Math.min(this.#anchor, to), Math.max(this.#anchor, to), this.#anchorOn);
  }

  #key(e: KeyboardEvent): void {
    if (e.target !== this.parts.grid || e.altKey) return;
    const s = this.#scroller;
    const page = Math.max(1, Math.floor(s.view / ROW_HEIGHT) - 1);
    const item = this.current();
    const row = item ? { expanded: item.expanded, level: item.node.level, nested: item.node.depth > 0 } : null;
    const does = action(e, this.#active, { rows: s.rows, columns: this.#columns.length + 1, page }, row);
    if (!does) {
      // The notebook's own shortcuts (select all cells, delete one) are not meant while the table has the keyboard.
      if (e.key.length === 1) e.stopPropagation();
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "a") e.preventDefault();
      return;
    }
    e.preventDefault();
    e.stopPropagation(); // the notebook has shortcuts of its own
    this.#do(does, item!, e.shiftKey);
    this.#schedule();
    requestAnimationFrame(() => this.#reveal());
  }

  #do(does: Action, item: Item, shift: boolean): void {
    const row = this.#active.row;
    switch (does.what) {
      case "tick": return shift ? this.#range(row) : this.#tick(row);
      case "fold": return this.actions.fold(item);
      case "open": return this.actions.open(item);
      case "details": return this.actions.details(item);
      case "copy row": return this.actions.copied(this.#rowText(item));
      case "parent": return this.#moveTo({ row: this.tree.position(item.node.parent!, item.node.at), column: this.#active.column }, false);
      case "move": return this.#moveTo(does.to, shift);
    }
  }

  #moveTo(to: Place, shift: boolean): void {
    const vertical = to.row !== this.#active.row;
    this.#active = to;
    this.#scroller.reveal(to.row);
    this.#settle();
    if (shift && vertical) this.#range(to.row);
    else if (vertical) this.#setAnchor(to.row, true);
  }

  #rowText(item: Item): string {
    const cells = this.#columns.map((c, i) => textOf(item, c, i === 0));
    // Pasted into a list it means what it is: a row of a series not its patient, though no UID is shown.
    for (const name of IDENTIFIERS[item.node.level]) {
      const value = item.read(name);
      if (value != null && !cells.includes(String(value))) cells.push(String(value));
    }
    return cells.map((c) => c.replace(/[\t\r\n]+/g, " ")).join("\t");
  }

  /** Ctrl+C without selected text: the active cell, or from the box the row. */
  #copy(e: ClipboardEvent): void {
    const item = this.current();
    if (!item?.row || !e.clipboardData || String(getSelection() ?? "") !== "") return;
    const column = this.#active.column - 1;
    const text = column < 0 ? this.#rowText(item) : textOf(item, this.#columns[column]!, column === 0);
    e.clipboardData.setData("text/plain", text);
    e.preventDefault();
    e.stopPropagation();
    this.actions.copied("");
  }

  /** Scrolls sideways so that the active cell is in view, and shows its whole text where it is cut. */
  #reveal(): void {
    const { grid } = this.parts;
    const slot = this.#slots.find((other) => other.position === this.#active.row);
    const cell = slot?.element.children[this.#active.column];
    if (!slot || !(cell instanceof HTMLElement)) return this.#tip.hide();
    if (this.#active.column > 1) {
      const left = cell.offsetLeft;
      const kept = (slot.cells[0]?.offsetWidth ?? 0) + (slot.box.parentElement?.offsetWidth ?? 0);
      if (left - kept < grid.scrollLeft) grid.scrollLeft = left - kept;
      else if (left + cell.offsetWidth > grid.scrollLeft + grid.clientWidth)
        grid.scrollLeft = left + cell.offsetWidth - grid.clientWidth;
    }
    const text = slot.texts[this.#active.column - 1] ?? "";
    const cut = cell.scrollWidth > cell.clientWidth + 1 || (cell.lastElementChild?.textContent ?? "") !== text;
    if (this.#active.column > 0 && text && cut) this.#tip.show(cell, text);
    else this.#tip.hide();
  }
}
