// Which facets are on screen: the others need not be painted at a click.

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

export class Visibility {
  readonly #known = new Map<Element, Signal<boolean>>();
  #observer: IntersectionObserver | null = null;

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
      { root, rootMargin: "120px 0px" },
    );
    for (const element of this.#known.keys()) this.#observer.observe(element);
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#observer = null;
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
