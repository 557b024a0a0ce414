// The rows of the result, in blocks of 100 from the kernel: those in view first, their neighbours next.

import { signal, type Signal } from "@preact/signals";
import { canonical, same, type Where } from "../cohort/condition";
import type { Link } from "../kernel/link";
import type { Level, Row, SortKey, Ticks } from "../kernel/protocol";

export const BLOCK = 100;
const KEPT = 200; // blocks: 20,000 rows
const AT_ONCE = 2; // requests under way
const STALE_MS = 5000;
const DRAG_MS = 70;

export interface Query {
  where: Where;
  level: Level;
  sort: readonly SortKey[];
  columns: readonly string[];
  /** Only these ticks. */
  only: Ticks | null;
}

interface Page {
  rows: Row[];
  total: number;
}

export class Rows {
  /** Rows of the query in all, once a page said so. */
  readonly total: Signal<number | null> = signal(null);
  readonly error = signal("");
  #query: Query | null = null;
  #blocks = new Map<number, Row[]>();
  /** Rows of the query before, shown dimmed until the first page of this one is here. */
  #ghosts = new Map<number, Row[]>();
  #ghostly = false;
  #columns = "";
  #turn = 0;
  #first = 0;
  #wanted: number[] = [];
  #underWay = new Map<object, { turn: number; block: number; since: number; generation: number }>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly link: Link,
    /** Rises whenever rows arrived or became void. */
    readonly version: Signal<number> = signal(0),
  ) {}

  get query(): Query | null {
    return this.#query;
  }

  /** Changes what is asked; returns false when it is the same question. */
  ask(query: Query): boolean {
    if (this.#query && same(query, this.#query)) return false;
    const columns = canonical([query.level, query.columns]);
    if (columns !== this.#columns) this.#ghosts = new Map();
    else if (this.#blocks.size) this.#ghosts = this.#blocks;
    this.#columns = columns;
    this.#ghostly = this.#ghosts.size > 0;
    this.#query = query;
    this.#blocks = new Map();
    this.#wanted = [];
    this.#turn++;
    this.total.value = null;
    this.error.value = "";
    this.version.value++;
    return true;
  }

  /** Whether the rows are still those of the query before. */
  get stale(): boolean {
    return this.#ghostly;
  }

  /** The row at a position; `stale` when it is still of the query before; null while it is on its way. */
  at(index: number): { row: Row; stale: boolean } | null {
    const block = Math.floor(index / BLOCK);
    const row = (this.#ghostly ? this.#ghosts : this.#blocks).get(block)?.[index % BLOCK];
    return row ? { row, stale: this.#ghostly } : null;
  }

  /** Says which rows are in view. Asked at once, or when a dragged bar rests. */
  want(first: number, end: number, dragging: boolean): void {
    const from = Math.floor(first / BLOCK);
    const to = Math.floor(Math.max(first, end - 1) / BLOCK);
    const wanted: number[] = [];
    for (let b = from; b <= to; b++) {
      wanted.push(b);
      this.#touch(b);
    }
    // Further ahead the way it is scrolled.
    wanted.push(...(first < this.#first ? [from - 1, from - 2, to + 1] : [to + 1, to + 2, from - 1]));
    this.#first = first;
    this.#wanted = wanted;
    clearTimeout(this.#timer);
    // Not within the frame that paints: sending takes its time too.
    this.#timer = setTimeout(() => this.#pump(), dragging ? DRAG_MS : 0);
  }

  retry(): void {
    this.error.value = "";
    this.#pump();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#wanted = [];
  }

  /** Keeps a block from being the next to be thrown away. */
  #touch(block: number): void {
    const rows = this.#blocks.get(block);
    if (!rows) return;
    this.#blocks.delete(block);
    this.#blocks.set(block, rows);
  }

  #pump(): void {
    const query = this.#query;
    if (!query || this.error.peek()) return;
    const now = performance.now();
    for (const [key, r] of this.#underWay) {
      // A lost message must not hold its place for ever.
      if (r.generation !== this.link.generation || now - r.since > STALE_MS) this.#underWay.delete(key);
    }
    const total = this.total.peek();
    for (const block of this.#wanted) {
      if (this.#underWay.size >= AT_ONCE) return;
      if (block < 0 || this.#blocks.has(block) || (total !== null && block * BLOCK >= total && block > 0)) continue;
      if ([...this.#underWay.values()].some((r) => r.turn === this.#turn && r.block === block)) continue;
      this.#request(query, block);
    }
  }

  #request(query: Query, block: number): void {
    const turn = this.#turn;
    const key = {};
    this.#underWay.set(key, { turn, block, since: performance.now(), generation: this.link.generation });
    this.link.request<Page>("page", { ...query, offset: block * BLOCK, limit: BLOCK }).then(
      ({ rows, total }) => {
        this.#underWay.delete(key);
        if (turn === this.#turn) {
          this.#ghostly = false;
          this.#ghosts = new Map();
          this.#blocks.set(block, rows);
          if (this.#blocks.size > KEPT) this.#blocks.delete(this.#blocks.keys().next().value!);
          this.total.value = total;
          this.version.value++;
        }
        this.#pump();
      },
      (error: Error) => {
        this.#underWay.delete(key);
        if (turn === this.#turn) this.error.value = error.message;
        this.#pump();
      },
    );
  }
}
