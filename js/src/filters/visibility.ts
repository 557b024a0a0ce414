// Which facets are on screen: the others are painted after the frame of a click, not in it.

import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";

const SETTLE_MS = 40; // two frames and a bit: behind the paint of the click, before anyone can have scrolled there

export class Visibility {
  readonly #known = new Map<Element, Signal<boolean>>();
  #observer: IntersectionObserver | null = null;
  readonly #settled = new Map<ReadonlySignal<unknown>, ReadonlySignal<unknown>>();
  readonly #stops: (() => void)[] = [];

  /** Starts watching within a scrolled panel; without it everything counts as visible. */
  start(root: Element): void {
    if (typeof IntersectionObserver === "undefined") return;
    this.#observer = new IntersectionObserver(
      (entries) => {
        for (const e of entries) {
          const known = this.#known.get(e.target);
          if (known) known.value = e.isIntersecting;
        }
      },
      // Painted a little before it scrolls into view.
      { root, rootMargin: "40px 0px" },
    );
    for (const element of this.#known.keys()) this.#observer.observe(element);
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#observer = null;
    this.#settled.clear();
    for (const end of this.#stops.splice(0)) end();
  }

  /** A signal's value, a moment after the frame in which it changed was painted. */
  settled<T>(source: ReadonlySignal<T>): ReadonlySignal<T> {
    const known = this.#settled.get(source);
    if (known) return known as ReadonlySignal<T>;
    const late = signal(source.peek());
    this.#settled.set(source, late);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = effect(() => {
      const value = source.value;
      clearTimeout(timer);
      timer = setTimeout(() => (late.value = value), SETTLE_MS);
    });
    this.#stops.push(() => {
      clearTimeout(timer);
      end();
    });
    return late;
  }

  watch(element: Element): ReadonlySignal<boolean> {
    const known = signal(true);
    this.#known.set(element, known);
    this.#observer?.observe(element);
    return known;
  }

  forget(element: Element | null): void {
    if (!element) return;
    this.#known.delete(element);
    this.#observer?.unobserve(element);
  }
}
