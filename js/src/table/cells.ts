// One row of the table as elements that are kept and rewritten.

import { cell, ending, noncommercial } from "../format";
import type { Column, Row } from "../link/protocol";
import { numeric } from "./columns";

export interface RowSlot {
  element: HTMLElement;
  box: HTMLElement;
  cells: HTMLElement[];
  index: number;
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
  const cells = columns.map((c, i) => {
    const kind = numeric(c) ? " idc-num" : c.name === "collection_id" ? " idc-strong" : "";
    const e = gridcell(`idc-cell${kind}`, `${id}-${i + 1}`);
    const text = document.createElement("span");
    if (c.name === "Modality") text.className = "idc-tag";
    e.append(text);
    return e;
  });
  element.append(first, ...cells);
  element.hidden = true;
  return { element, box, cells, index: -1 };
}

/** Writes a row's texts; a row that is on its way shows grey bars, never nothing. */
export function writeRow(slot: RowSlot, columns: readonly Column[], row: Row | null): void {
  toggle(slot.element, "idc-loading", row === null);
  slot.cells.forEach((e, i) => {
    const column = columns[i]!;
    const value = row?.[i + 1];
    const text = cell(value, column.type);
    const span = e.firstElementChild as HTMLElement;
    const shown = ending(text);
    if (span.textContent !== shown) {
      span.textContent = shown;
      if (shown === text) e.removeAttribute("aria-label");
      else e.setAttribute("aria-label", text);
    }
    const title = column.type === "text" || column.type === "date" ? text : value == null ? "" : `${text}`;
    if (e.title !== title) e.title = title;
    if (column.name === "license_short_name") toggle(span, "idc-nc", noncommercial(text));
  });
}

export function markRow(slot: RowSlot, ticked: boolean, activeCell: number): void {
  const state = String(ticked);
  if (slot.box.getAttribute("aria-checked") !== state) {
    slot.box.setAttribute("aria-checked", state);
    slot.element.setAttribute("aria-selected", state);
    toggle(slot.element, "idc-on", ticked);
  }
  toggle(slot.element, "idc-active", activeCell >= 0);
  const cells = [slot.box.parentElement!, ...slot.cells];
  cells.forEach((e, i) => toggle(e, "idc-focus", i === activeCell));
}

function toggle(e: Element, name: string, on: boolean): void {
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
