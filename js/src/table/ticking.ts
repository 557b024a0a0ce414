// Ticking: a single series here and now; groups, ranges and everything with the kernel, which knows what they hold.

import { effect, signal } from "@preact/signals";
import { holds, same } from "../cohort/condition";
import { Latest } from "../kernel/link";
import type { Ticks } from "../kernel/protocol";
import type { Store } from "../state/store";
import { allOf, NONE, nothing } from "../state/ticks";
import type { Mark, Marks } from "./marks";
import type { Item, Node, Tree } from "./tree";

export class Ticking {
  readonly error = signal("");
  /** What the header's box shows: how much of all that match is ticked. */
  readonly all = signal<Mark>(false);
  /** Each change starts from the ticks that the one before it left. */
  #queue: Promise<void> = Promise.resolve();

  constructor(
    readonly store: Store,
    readonly tree: Tree,
    readonly marks: Marks,
  ) {}

  /** Keeps `all` right; returns how to stop. */
  start(): () => void {
    const asked = new Latest<{ ticked: number[]; of: number }>(this.store.link, "marks");
    return effect(() => {
      const ticks = this.store.ticks.value;
      const q = this.tree.asking.value;
      asked.drop();
      if (!q || nothing(ticks)) this.all.value = false;
      else if (q.only === null && ticks.base && !ticks.minus.length && holds(q.where, ticks.base)) this.all.value = true;
      else {
        if (this.all.peek() === true) this.all.value = "mixed";
        asked.ask(
          { where: q.where, only: q.only, ticks, all: true },
          ({ ticked, of }) => (this.all.value = ticked[0] === 0 ? false : ticked[0] === of ? true : "mixed"),
          () => {},
        );
      }
    });
  }

  tick(item: Item, on: boolean): void {
    const id = item.row![0] as number;
    const { store, marks } = this;
    if (item.node.level === "series") {
      const inBase = marks.inBase(item);
      if (inBase !== null) return store.setTicks(store.tickSet.peek().with([id], on, inBase));
    } else marks.expect(item, on);
    this.#change(item.node, { rows: [id] }, on);
  }

  /** Rows of the view, both ends included: of one list where both are in it, else of the outermost. */
  range(from: number, to: number, on: boolean): void {
    let [a, b] = [this.tree.at(from), this.tree.at(to)];
    while (a.node !== b.node) {
      if (a.node.depth >= b.node.depth) a = parent(a);
      else b = parent(b);
    }
    const [first, last] = [Math.min(a.index, b.index), Math.max(a.index, b.index)];
    const here = a.node.level === "series" ? this.#loaded(a.node, first, last) : null;
    if (here) this.store.setTicks(this.store.tickSet.peek().with(here, on, null));
    else this.#change(a.node, { from: first, to: last }, on);
  }

  /** The header's box. */
  toggleAll(): void {
    const q = this.tree.question;
    if (!q) return;
    const { store } = this;
    const ticks = store.ticks.peek();
    const on = this.all.peek() !== true;
    if (on && q.only === null && nothing(ticks)) store.setTicks(allOf(q.where));
    else if (!on && ticks.base && !ticks.plus.length && same(ticks.base, q.where)) store.setTicks(NONE);
    else this.#change(this.tree.root, { all: true }, on);
  }

  #change(node: Node, rows: object, on: boolean): void {
    const query = node.rows.query;
    if (!query) return;
    const { where, level, sort, only } = query;
    this.#queue = this.#queue.then(async () => {
      const before = this.store.ticks.peek();
      try {
        const after = await this.store.link.request<Ticks>("tick", { where, level, sort, only, ticks: before, on, ...rows });
        this.error.value = "";
        if (this.store.ticks.peek() === before) this.store.setTicks(after);
        else this.#change(node, rows, on); // something else was ticked meanwhile: this comes on top
      } catch (e) {
        this.error.value = e instanceof Error ? e.message : String(e);
      }
    });
  }

  /** The row ids of a range when all its rows are here. */
  #loaded(node: Node, from: number, to: number): number[] | null {
    if (to - from > 1000 || this.store.ticks.peek().base !== null) return null;
    const ids: number[] = [];
    for (let i = from; i <= to; i++) {
      const found = node.rows.at(i);
      if (!found || found.stale) return null;
      ids.push(found.row[0] as number);
    }
    return ids;
  }
}

/** The row that holds this one, as far as its place goes. */
const parent = (item: Item): Item => ({ ...item, node: item.node.parent!, index: item.node.at });
