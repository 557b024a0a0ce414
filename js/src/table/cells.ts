// One row of the table as elements that are kept and rewritten.

import type { Column } from "../kernel/protocol";
import { below, nameOf } from "../state/levels";
import { cell, shortened } from "../ui/format";
import { numeric } from "./columns";
import type { Mark } from "./marks";
import type { Item } from "./tree";

export interface RowSlot {
  element: HTMLElement;
  box: HTMLElement;
  /** Folds and unfolds the row. */
  twisty: HTMLElement;
  cells: HTMLElement[];
  /** The whole texts of the cells, which may be cut in view. */
  texts: string[];
  position: number;
  /** Its transform. */
  at: string;
}

export function makeRow(columns: readonly Column[], id: string): RowSlot {
  const element = div("idc-row");
  element.setAttribute("role", "row");
  const first = gridcell("idc-cell idc-tick", `${id}-0`);
  const box = document.createElement("span");
  box.className = "idc-box";
  box.setAttribute("role", "checkbox");
  box.setAttribute("aria-checked", "false");
  first.append(box);
  const twisty = document.createElement("button");
  twisty.type = "button";
  twisty.tabIndex = -1;
  twisty.className = "idc-twisty";
  const cells = columns.map((c, i) => {
    const e = gridcell(`idc-cell${numeric(c) ? " idc-num" : ""}${i === 0 ? " idc-first" : ""}`, `${id}-${i + 1}`);
    e.append(document.createElement("span"));
    if (i === 0) e.prepend(twisty);
    return e;
  });
  element.append(first, ...cells);
  element.hidden = true;
  return { element, box, twisty, cells, texts: columns.map(() => ""), position: -1, at: "" };
}

/** What a cell says; the first of a nested row names it, since its columns are its parents'. */
export function textOf(item: Item, column: Column, first: boolean): string {
  if (first && item.node.depth > 0) return nameOf(item.node.level, item.read);
  return cell(item.read(column.name), column.type);
}

/** Writes a row's texts; a row that is on its way shows grey bars, never nothing. */
export function writeRow(slot: RowSlot, columns: readonly Column[], item: Item): void {
  const { node, row } = item;
  toggle(slot.element, "idc-loading", row === null);
  toggle(slot.element, "idc-nested", node.depth > 0);
  const folds = row !== null && below(node.level) !== null;
  slot.twisty.hidden = !folds;
  const nest = `${node.depth}`;
  if (slot.element.dataset.depth !== nest) {
    slot.element.dataset.depth = nest;
    slot.element.style.setProperty("--idc-depth", nest);
  }
  toggle(slot.element, "idc-leaf", !folds && node.depth > 0);
  if (folds && slot.twisty.getAttribute("aria-expanded") !== String(item.expanded)) {
    slot.twisty.setAttribute("aria-expanded", String(item.expanded));
  }
  slot.cells.forEach((e, i) => {
    const column = columns[i]!;
    const text = textOf(item, column, i === 0);
    const span = e.lastElementChild as HTMLElement;
    const shown = shortened(text);
    if (slot.texts[i] === text && span.textContent === shown) return;
    slot.texts[i] = text;
    span.textContent = shown;
    if (shown === text) e.removeAttribute("aria-label");
    else e.setAttribute("aria-label", text);
    e.title = text;
    if (i === 0 && folds) slot.twisty.setAttribute("aria-label", `Show what ${text || "this"} holds`);
    toggle(span, "idc-nc", column.marked?.some((v) => text.includes(v)) ?? false);
  });
}

export function markRow(slot: RowSlot, mark: Mark, activeCell: number): void {
  const state = String(mark);
  if (slot.box.getAttribute("aria-checked") !== state) {
    slot.box.setAttribute("aria-checked", state);
    slot.element.setAttribute("aria-selected", String(mark === true));
    toggle(slot.element, "idc-on", mark === true);
  }
  toggle(slot.element, "idc-active", activeCell >= 0);
  toggle(slot.box.parentElement!, "idc-focus", activeCell === 0);
  slot.cells.forEach((e, i) => toggle(e, "idc-focus", i + 1 === activeCell));
}

export function toggle(e: Element, name: string, on: boolean): void {
  if (e.classList.contains(name) !== on) e.classList.toggle(name, on);
}

function div(className: string): HTMLElement {
  const e = document.createElement("div");
  e.className = className;
  return e;
}

function gridcell(className: string, id: string): HTMLElement {
  const e = div(className);
  e.setAttribute("role", "gridcell");
  e.id = id;
  return e;
}
