// The values of one facet: rows of fixed height, of which only those in view exist.
//
// Plain DOM instead of components: at a click every facet's list repaints within the frame, so a row's elements stay
// and only text that changed is written; the bars of all rows are two SVG paths.

import type { Value } from "../cube/condition";
import { count } from "../format";
import { humanName, valueText } from "./names";

export const ROW = 24;
const BAR_LEFT = 26;
const SVG = "http://www.w3.org/2000/svg";

export interface Shown {
  column: string;
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
  code: number;
  state: string;
  written: string;
}

export class ValueList {
  readonly element: HTMLElement;
  readonly #inner: HTMLElement;
  readonly #bars: SVGPathElement;
  readonly #barsOn: SVGPathElement;
  readonly #slots: Slot[] = [];
  #shown: Shown | null = null;
  #rows = 0; // rows in view
  #active = 0; // position that has the keyboard
  #path = ["", ""];
  // Kept, since reading them from the page in the middle of a repaint would lay it out once for each facet.
  #width = 0;
  #scroll = 0;
  readonly #resize: ResizeObserver | null;

  constructor(readonly onToggle: (value: Value, out: boolean) => void) {
    this.element = make("div", "idc-values");
    this.#inner = make("div", "idc-values-inner");
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", "idc-bars");
    this.#bars = document.createElementNS(SVG, "path");
    this.#barsOn = document.createElementNS(SVG, "path");
    this.#barsOn.setAttribute("class", "idc-bars-on");
    svg.append(this.#bars, this.#barsOn);
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
    let top = 0;
    for (let i = 0; i < shown.order.length; i++) top = Math.max(top, shown.counts[shown.order[i]!]!);
    let off = "";
    let on = "";
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
      if (value > 0 && top > 0) {
        const bar = `M${BAR_LEFT} ${at * ROW + ROW - 2}h${Math.max(2, Math.round((value / top) * width))}`;
        if (shown.included.has(code)) on += bar;
        else off += bar;
      }
    });
    if (this.#path[0] !== off) this.#bars.setAttribute("d", off);
    if (this.#path[1] !== on) this.#barsOn.setAttribute("d", on);
    this.#path = [off, on];
  }

  #write(slot: Slot, shown: Shown, code: number, at: number): void {
    const { element } = slot;
    if (slot.code === -1) element.hidden = false;
    const top = `translateY(${at * ROW}px)`;
    if (element.style.transform !== top) element.style.transform = top;
    const key = `${shown.column}\n${code}\n${shown.values.length}`;
    if (slot.written !== key) {
      slot.written = key;
      const value = shown.values[code]!;
      const human = humanName(shown.column, value);
      slot.label.data = valueText(value);
      slot.human.textContent = human;
      element.classList.toggle("idc-missing", value === null);
      element.title = `${valueText(value)}${human ? ` – ${human}` : ""}: ${count(shown.total[code]!)} series in all`;
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
    element.append(mark, name, " ", cell); // the space is for the spoken name
    this.#inner.append(element);
    this.#slots.push({ element, mark, label, human, number, code: -1, state: "", written: "" });
  }

  #slotOf(target: EventTarget | null): Slot | undefined {
    const element = target instanceof Element ? target.closest(".idc-value") : null;
    return element ? this.#slots.find((s) => s.element === element) : undefined;
  }

  #click(event: MouseEvent): void {
    const slot = this.#slotOf(event.target);
    if (slot && slot.code >= 0) this.onToggle(this.#shown!.values[slot.code]!, event.altKey);
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
    } else if (event.key === " " || event.key === "Enter") {
      this.onToggle(shown.values[slot.code]!, event.altKey);
    } else return;
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
