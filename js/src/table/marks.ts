// What is ticked of the rows in view: known here for single series, asked of the kernel for what conditions decide.

import { signal } from "@preact/signals";
import { holds } from "../cohort/condition";
import type { Ticks } from "../kernel/protocol";
import type { Store } from "../state/store";
import { nothing } from "../state/ticks";
import type { Item, Node } from "./tree";

export type Mark = boolean | "mixed";

const KEPT = 20_000;

interface Known {
  /** Series of the row that are ticked. */
  ticked: number;
  /** The ticks it is true of; of a series, their conditions. */
  of: unknown;
}

export class Marks {
  /** Rises when marks arrived. */
  readonly version = signal(0);
  #known = new WeakMap<Node, Map<number, Known>>();
  #asked = new WeakMap<Node, unknown>();

  constructor(readonly store: Store) {}

  of(item: Item): Mark {
    const { row, node } = item;
    if (!row || item.stale) return false;
    const { ticks } = this.store.tickSet.peek();
    if (nothing(ticks)) return false;
    const id = row[0] as number;
    const covered = ticks.base !== null && node.rows.query?.only == null && holds(node.where, ticks.base);
    if (node.level === "series") {
      const inBase = covered || (ticks.base !== null && (this.#known.get(node)?.get(id)?.ticked ?? 0) > 0);
      return this.store.tickSet.peek().has(id, inBase);
    }
    const all = Number(item.read("series") ?? 0);
    if (covered && !ticks.minus.length) return true;
    const ticked = this.#known.get(node)?.get(id)?.ticked ?? 0;
    return ticked === 0 ? false : ticked >= all ? true : "mixed";
  }

  /** Whether a series is in the condition of the ticks; null when that is not known yet. */
  inBase(item: Item): boolean | null {
    const { base } = this.store.ticks.peek();
    if (base === null) return false;
    if (item.node.rows.query?.only == null && holds(item.node.where, base)) return true;
    const known = this.#known.get(item.node)?.get(item.row?.[0] as number);
    return known?.of === base ? known.ticked > 0 : null;
  }

  /** Shows what a click will have made of a row before the kernel says so. */
  expect(item: Item, on: boolean): void {
    this.#keep(item.node, item.row![0] as number, { ticked: on ? Number(item.read("series") ?? 1) : 0, of: null });
    this.version.value++;
  }

  /** The rows are others now. */
  forget(): void {
    this.#known = new WeakMap();
    this.#asked = new WeakMap();
  }

  /** Asks about those of the rows in view of which nothing is known. */
  want(items: readonly Item[]): void {
    const ticks = this.store.ticks.peek();
    if (nothing(ticks)) return;
    const missing = new Map<Node, number[]>();
    for (const item of items) {
      if (!item.row || item.stale) continue;
      const { node } = item;
      const id = item.row[0] as number;
      if (this.#known.get(node)?.get(id)?.of === this.#subject(node, ticks)) continue;
      if (node.level === "series" ? this.inBase(item) !== null : this.#trivial(node, ticks)) continue;
      missing.set(node, [...(missing.get(node) ?? []), id]);
    }
    for (const [node, rows] of missing) this.#ask(node, rows, ticks);
  }

  #trivial(node: Node, ticks: Ticks): boolean {
    return ticks.base !== null && !ticks.minus.length && node.rows.query?.only == null && holds(node.where, ticks.base);
  }

  /** What a mark of a row of this list is true of: single series change nothing about what the conditions say. */
  #subject(node: Node, ticks: Ticks): unknown {
    return node.level === "series" ? ticks.base : ticks;
  }

  #ask(node: Node, rows: number[], ticks: Ticks): void {
    const of = this.#subject(node, ticks);
    if (this.#asked.get(node) === of) return; // the next paint asks for the rest
    this.#asked.set(node, of);
    const query = node.rows.query!;
    const asked = node.level === "series" ? { base: ticks.base, minus: [], plus: [] } : ticks;
    const done = (): void => {
      if (this.#asked.get(node) === of) this.#asked.delete(node);
      this.version.value++;
    };
    const { where, level, only } = query;
    this.store.link.request<{ ticked: number[] }>("marks", { where, level, only, rows, ticks: asked }).then(
      ({ ticked }) => {
        // What is told of older ticks is nearer to the truth than nothing, unless something newer is known.
        rows.forEach((id, i) => this.#keep(node, id, { ticked: ticked[i]!, of }));
        done();
      },
      () => {}, // shown as before; the next ticks ask anew
    );
  }

  #keep(node: Node, id: number, known: Known): void {
    let map = this.#known.get(node);
    if (!map || map.size > KEPT) this.#known.set(node, (map = new Map()));
    map.set(id, known);
  }
}
