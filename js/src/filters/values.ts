// The values of one facet: rows of fixed height, of which only those in view exist.
//
// Plain DOM instead of components: at a click every facet's list repaints within the frame, so a row's elements stay
// and only text that changed is written; the bars of all rows are three SVG paths.

import type { Value } from "../cohort/condition";
import { compact, count } from "../ui/format";
import { valueText } from "./names";

export const ROW = 24;
const BAR_LEFT = 26;
const SVG = "http://www.w3.org/2000/svg";

/** What somebody wants of a value. */
export type Act = "toggle" | "exclude" | "only" | "about" | "menu";

const KEYS: Readonly<Record<string, Act>> = {
  " ": "toggle", Enter: "toggle", x: "exclude", o: "only", i: "about", m: "menu", ContextMenu: "menu",
};

export interface Shown {
  /** The human name of a value, or "". */
  human(value: Value): string;
  /** Whether the counts are of a part of the catalogue, so that those of all of it say something more. */
  filtered: boolean;
  values: readonly Value[];
  total: readonly number[];
  counts: ArrayLike<number>;
  /** Codes in display order, all that may be scrolled to. */
  order: ArrayLike<number>;
  included: ReadonlySet<number>;
  excluded: ReadonlySet<number>;
}

interface Slot {
  element: HTMLElement;
  mark: HTMLElement;
  label: Text;
  human: HTMLElement;
  number: Text;
  all: Text;
  code: number;
  state: string;
  /** What its texts are of. */
  values: readonly Value[] | null;
  written: number;
}

export class ValueList {
  readonly element: HTMLElement;
  readonly #inner: HTMLElement;
  readonly #bars: SVGPathElement;
  readonly #barsOn: SVGPathElement;
  readonly #barsAll: SVGPathElement;
  readonly #slots: Slot[] = [];
  #shown: Shown | null = null;
  #rows = 0; // rows in view
  #active = 0; // position that has the keyboard
  #path = ["", "", ""];
  // Kept, since reading them from the page in the middle of a repaint would lay it out once for each facet.
  #width = 0;
  #scroll = 0;
  readonly #resize: ResizeObserver | null;

  /** `at` is where a menu would open, in the window. */
  constructor(readonly on: (act: Act, value: Value, at: { x: number; y: number }) => void) {
    this.element = make("div", "idc-values");
    this.#inner = make("div", "idc-values-inner");
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", "idc-bars");
    this.#bars = document.createElementNS(SVG, "path");
    this.#barsOn = document.createElementNS(SVG, "path");
    this.#barsOn.setAttribute("class", "idc-bars-on");
    this.#barsAll = document.createElementNS(SVG, "path");
    this.#barsAll.setAttribute("class", "idc-bars-all");
    svg.append(this.#barsAll, this.#bars, this.#barsOn);
    this.#inner.append(svg);
    this.element.append(this.#inner);
    this.#resize =
      typeof ResizeObserver === "undefined"
        ? null
        : new ResizeObserver(([entry]) => {
            this.#width = entry!.contentRect.width;
            this.#paint();
          });
    this.#resize?.observe(this.element);
    this.element.addEventListener(
      "scroll",
      () => {
        this.#scroll = this.element.scrollTop;
        this.#paint();
      },
      { passive: true },
    );
    this.element.addEventListener("click", (e) => this.#click(e));
    this.element.addEventListener("contextmenu", (e) => this.#menu(e));
    this.element.addEventListener("mouseover", (e) => this.#explain(e));
    this.element.addEventListener("keydown", (e) => this.#key(e));
    this.element.addEventListener("focusin", (e) => {
      const slot = this.#slotOf(e.target);
      if (slot) this.#activate(this.#slots.indexOf(slot) + this.#first);
    });
  }

  dispose(): void {
    this.#resize?.disconnect();
    this.element.remove();
  }

  /** Shows values in a window of `rows` rows. */
  show(shown: Shown, rows: number): void {
    const held = this.#slotOf(this.#focused())?.code;
    this.#shown = shown;
    if (rows !== this.#rows) {
      this.#rows = rows;
      this.element.style.height = `${rows * ROW}px`;
    }
    const height = `${Math.max(shown.order.length, rows) * ROW}px`;
    if (this.#inner.style.height !== height) this.#inner.style.height = height;
    // The keyboard stays with its value when the order changes, as far as the value is still to be seen.
    if (held !== undefined) {
      let at = 0;
      while (at < shown.order.length && shown.order[at] !== held) at++;
      this.#active = at < shown.order.length ? at : Math.min(this.#active, shown.order.length - 1);
      this.#reveal(this.#active);
    }
    this.#active = Math.max(0, Math.min(this.#active, shown.order.length - 1));
    this.#paint();
    if (held !== undefined) this.#focus();
  }

  get #first(): number {
    return Math.floor(this.#scroll / ROW);
  }

  /** The focused element of the page, or of the shadow root that some hosts put widgets in. */
  #focused(): Element | null {
    const root = this.element.getRootNode() as Document | ShadowRoot;
    return root.activeElement ?? null; // a detached list has no such root
  }

  #focus(): void {
    const element = this.#slots[this.#active - this.#first]?.element;
    if (element && element !== this.#focused()) element.focus({ preventScroll: true });
  }

  #paint(): void {
    const shown = this.#shown;
    if (!shown) return;
    const first = this.#first;
    const scrolls = shown.order.length > this.#rows;
    const n = Math.max(0, Math.min(this.#rows + (scrolls ? 1 : 0), shown.order.length - first));
    while (this.#slots.length < n) this.#grow();
    const width = Math.max(0, this.#width - BAR_LEFT - 8);
    let top = 1;
    for (let i = 0; i < shown.order.length; i++) top = Math.max(top, shown.total[shown.order[i]!]!);
    // One scale for what matches and for all, so that the two can be compared; by the root, so that a few hundred are
    // still seen beside a quarter million.
    const bar = (at: number, n: number, least: number): string =>
      `M${BAR_LEFT} ${at * ROW + ROW - 2}h${Math.max(least, Math.round(Math.sqrt(n / top) * width))}`;
    let off = "";
    let on = "";
    let all = "";
    this.#slots.forEach((slot, i) => {
      if (i >= n) {
        if (slot.code !== -1) slot.element.hidden = true;
        slot.code = -1;
        return;
      }
      const at = first + i;
      const code = shown.order[at]!;
      this.#write(slot, shown, code, at);
      const value = shown.counts[code]!;
      if (value > 0) {
        if (shown.included.has(code)) on += bar(at, value, 2);
        else off += bar(at, value, 2);
      }
      if (shown.filtered) all += bar(at, shown.total[code]!, 1);
    });
    if (this.#path[0] !== off) this.#bars.setAttribute("d", off);
    if (this.#path[1] !== on) this.#barsOn.setAttribute("d", on);
    if (this.#path[2] !== all) this.#barsAll.setAttribute("d", all);
    this.#path = [off, on, all];
  }

  #write(slot: Slot, shown: Shown, code: number, at: number): void {
    const { element } = slot;
    if (slot.code === -1) element.hidden = false;
    const top = `translateY(${at * ROW}px)`;
    if (element.style.transform !== top) element.style.transform = top;
    if (slot.written !== code || slot.values !== shown.values) {
      slot.written = code;
      slot.values = shown.values;
      const value = shown.values[code]!;
      slot.label.data = valueText(value);
      slot.human.textContent = shown.human(value);
      slot.all.data = ` / ${compact(shown.total[code]!)}`;
      element.classList.toggle("idc-missing", value === null);
    }
    slot.code = code;
    const number = count(shown.counts[code]!);
    if (slot.number.data !== number) slot.number.data = number;
    const included = shown.included.has(code);
    const excluded = shown.excluded.has(code);
    const zero = shown.counts[code] === 0;
    const tab = at === this.#active ? "0" : "-1";
    const state = `${included}${excluded}${zero}${tab}`;
    if (slot.state === state) return;
    slot.state = state;
    element.setAttribute("aria-checked", included ? "true" : excluded ? "mixed" : "false");
    if (excluded) element.setAttribute("aria-description", "excluded");
    else element.removeAttribute("aria-description");
    element.className = `idc-value${included ? " idc-on" : ""}${excluded ? " idc-out" : ""}${zero ? " idc-zero" : ""}${
      shown.values[code] === null ? " idc-missing" : ""
    }`;
    element.setAttribute("tabindex", tab);
  }

  #grow(): void {
    const element = make("div", "idc-value");
    element.setAttribute("role", "checkbox");
    const mark = make("span", "idc-box");
    const name = make("span", "idc-label");
    const label = document.createTextNode("");
    const human = make("span", "idc-human");
    name.append(label, " ", human);
    const cell = make("span", "idc-count");
    const number = document.createTextNode("");
    cell.append(number);
    const total = make("span", "idc-all");
    const all = document.createTextNode("");
    total.append(all);
    total.setAttribute("aria-hidden", "true");
    // For the pointer; the keyboard has its keys, and a button in a checkbox would be read as a part of it.
    const dots = make("span", "idc-dots");
    dots.textContent = "⋯";
    dots.setAttribute("aria-hidden", "true");
    element.append(mark, name, " ", dots, cell, total); // the space is for the spoken name
    this.#inner.append(element);
    this.#slots.push({ element, mark, label, human, number, all, code: -1, state: "", values: null, written: -1 });
  }

  #slotOf(target: EventTarget | null): Slot | undefined {
    const element = target instanceof Element ? target.closest(".idc-value") : null;
    return element ? this.#slots.find((s) => s.element === element) : undefined;
  }

  #click(event: MouseEvent): void {
    const slot = this.#slotOf(event.target);
    if (!slot || slot.code < 0) return;
    const dots = (event.target as Element).closest(".idc-dots");
    this.#do(dots ? "menu" : event.altKey ? "exclude" : "toggle", slot);
  }

  #do(act: Act, slot: Slot): void {
    const { right, bottom } = slot.element.getBoundingClientRect();
    this.on(act, this.#shown!.values[slot.code]!, { x: right - 60, y: bottom });
  }

  #menu(event: MouseEvent): void {
    const slot = this.#slotOf(event.target);
    if (!slot || slot.code < 0) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook has a menu of its own
    this.#do("menu", slot);
  }

  /** The whole value and its exact counts, for whoever rests on it. */
  #explain(event: Event): void {
    const slot = this.#slotOf(event.target);
    const shown = this.#shown;
    if (!slot || !shown || slot.code < 0) return;
    const value = shown.values[slot.code]!;
    const human = shown.human(value);
    const now = count(shown.counts[slot.code]!);
    const series = shown.filtered ? `${now} of ${count(shown.total[slot.code]!)} series` : `${now} series`;
    slot.element.title = `${valueText(value)}${human ? ` – ${human}` : ""}: ${series}. Alt-click excludes; right-click for more.`;
  }

  #key(event: KeyboardEvent): void {
    const slot = this.#slotOf(event.target);
    const shown = this.#shown;
    if (!slot || !shown || event.ctrlKey || event.metaKey) return;
    const last = shown.order.length - 1;
    const to = {
      ArrowDown: this.#active + 1,
      ArrowUp: this.#active - 1,
      PageDown: this.#active + this.#rows,
      PageUp: this.#active - this.#rows,
      Home: 0,
      End: last,
    }[event.key];
    if (to !== undefined) {
      this.#activate(Math.max(0, Math.min(last, to)));
      this.#reveal(this.#active);
      this.#paint();
      this.#focus();
    } else if (KEYS[event.key]) {
      const act = KEYS[event.key]!;
      this.#do(act === "toggle" && event.altKey ? "exclude" : act, slot);
    } else if (event.key === "F10" && event.shiftKey) this.#do("menu", slot);
    else return;
    event.preventDefault();
    event.stopPropagation(); // the notebook has shortcuts of its own
  }

  #activate(at: number): void {
    if (at === this.#active) return;
    this.#active = at;
    this.#paint();
  }

  #reveal(at: number): void {
    if (at * ROW < this.#scroll) this.#scroll = at * ROW;
    else if ((at + 1) * ROW > this.#scroll + this.#rows * ROW) this.#scroll = (at + 1 - this.#rows) * ROW;
    else return;
    this.element.scrollTop = this.#scroll;
  }
}

function make(tag: string, className: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}
