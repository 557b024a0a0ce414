// Ticked rows: (in base and not in minus) or in plus. "All that match" is a condition, not a million row ids.

import { same, type Where } from "../cohort/condition";
import type { Ticks } from "../kernel/protocol";

export const NONE: Ticks = { base: null, minus: [], plus: [] };

export const nothing = (t: Ticks): boolean => t.base === null && t.plus.length === 0;

/** Ticks with their sets, made once for each value of the trait: every visible row asks. */
export class TickSet {
  readonly #minus: Set<number>;
  readonly #plus: Set<number>;

  constructor(readonly ticks: Ticks) {
    this.#minus = new Set(ticks.minus);
    this.#plus = new Set(ticks.plus);
  }

  has(row: number, inBase: boolean): boolean {
    return (inBase && !this.#minus.has(row)) || this.#plus.has(row);
  }

  /** Ticks or unticks rows; `inBase` may be unknown (null), as for a range that was never on screen. */
  with(rows: Iterable<number>, on: boolean, inBase: boolean | null): Ticks {
    const base = this.ticks.base;
    const minus = new Set(this.#minus);
    const plus = new Set(this.#plus);
    for (const r of rows) {
      minus.delete(r);
      plus.delete(r);
      if (on && (base === null || inBase !== true)) plus.add(r);
      if (!on && base !== null && inBase !== false) minus.add(r);
    }
    return { base, minus: [...minus], plus: [...plus] };
  }
}

export const allOf = (where: Where): Ticks => ({ base: where, minus: [], plus: [] });

/** What the header's box shows: true when exactly all that match are ticked, "mixed" when some rows are. */
export function headerState(t: Ticks, where: Where): boolean | "mixed" {
  if (nothing(t)) return false;
  return t.base !== null && t.minus.length === 0 && t.plus.length === 0 && same(t.base, where) ? true : "mixed";
}
