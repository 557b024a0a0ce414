// Where a dragged scrollbar is: a row of a million cannot be there before the bar is elsewhere, its number can.

import { count } from "../ui/format";

export class Whereabouts {
  #element: HTMLElement | null = null;

  constructor(readonly home: HTMLElement) {}

  /** Beside the bar's thumb; `part` is how far down that is, from 0 to 1. */
  show(row: number, rows: number, part: number): void {
    const hint = (this.#element ??= this.#make());
    hint.textContent = `${count(row + 1)} of ${count(rows)}`;
    hint.style.top = `${Math.round(part * 100)}%`;
    hint.style.transform = `translateY(${-Math.round(part * 100)}%)`;
    hint.hidden = false;
  }

  hide(): void {
    if (this.#element) this.#element.hidden = true;
  }

  #make(): HTMLElement {
    const hint = document.createElement("div");
    hint.className = "idc-whereabouts";
    hint.setAttribute("aria-hidden", "true"); // the bar itself is told by the browser
    this.home.append(hint);
    return hint;
  }
}
