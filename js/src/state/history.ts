// Undo and redo of the conditions, whoever changed them: a click here, another view, or Python.

import { computed, effect, type Signal, signal } from "@preact/signals";
import type { Where } from "../cohort/condition";

const KEPT = 100;

export class History {
  readonly #past: Signal<readonly Where[]> = signal([]);
  readonly #future: Signal<readonly Where[]> = signal([]);
  readonly canUndo = computed(() => this.#past.value.length > 0);
  readonly canRedo = computed(() => this.#future.value.length > 0);
  #now: Where | null = null;

  constructor(
    readonly where: Signal<Where>,
    readonly set: (where: Where) => void,
    /** Whether the conditions are still under the pointer: only where they come to rest is a step. */
    readonly moving: () => boolean = () => false,
  ) {}

  /** Remembers every change from now on; returns how to stop. */
  follow(): () => void {
    return effect(() => {
      const where = this.where.value;
      if (this.moving()) return;
      const before = this.#now;
      this.#now = where;
      if (!before || before === where) return;
      this.#past.value = [...this.#past.peek(), before].slice(-KEPT);
      this.#future.value = [];
    });
  }

  undo(): void {
    this.#step(this.#past, this.#future);
  }

  redo(): void {
    this.#step(this.#future, this.#past);
  }

  #step(from: Signal<readonly Where[]>, to: Signal<readonly Where[]>): void {
    const target = from.peek().at(-1);
    const now = this.#now;
    if (!target || !now) return;
    from.value = from.peek().slice(0, -1);
    to.value = [...to.peek(), now];
    this.#now = target; // so that the step itself is not remembered as a change
    this.set(target);
  }
}
