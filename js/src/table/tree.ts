// The rows in view order: those of the query, and below an expanded one what it holds, and so on.

import { signal } from "@preact/signals";
import type { Where } from "../cohort/condition";
import type { Link } from "../kernel/link";
import type { Cell, Level, Row, SortKey, Ticks } from "../kernel/protocol";
import { below, keys, needed, type Read, size } from "../state/levels";
import { Rows } from "./rows";

/** What the whole table shows. */
export interface Question {
  level: Level;
  where: Where;
  sort: readonly SortKey[];
  /** Names of the columns shown. */
  columns: readonly string[];
  /** Only these ticks, whatever the filters say. */
  only: Ticks | null;
}

/** One list of rows: the query's, or the children of one row. */
export interface Node {
  level: Level;
  where: Where;
  depth: number;
  rows: Rows;
  /** Where each column is in a row. */
  places: ReadonlyMap<string, number>;
  /** Expanded rows, by their number in this list. */
  open: Map<number, Node>;
  /** Rows, as the parent says; what the pages say once there are any. */
  expected: number;
  parent: Node | null;
  /** Its parent row's number in the parent's list. */
  at: number;
}

/** One row in view; `row` is null while it is on its way. */
export interface Item {
  node: Node;
  index: number;
  row: Row | null;
  stale: boolean;
  expanded: boolean;
  read: Read;
}

export class Tree {
  /** Rises whenever rows arrived, became void, or were expanded or folded. */
  readonly version = signal(0);
  readonly root: Node;
  /** What is shown; null before anything was asked. */
  readonly asking = signal<Question | null>(null);

  constructor(readonly link: Link) {
    this.root = this.#node("series", [], null, -1, 0);
  }

  get question(): Question | null {
    return this.asking.peek();
  }

  /** Changes what is asked; returns false when it is the same question. Everything is folded then. */
  ask(question: Question): boolean {
    const { root } = this;
    root.level = question.level;
    root.where = question.where;
    if (!this.#ask(root, question)) return false;
    for (const child of root.open.values()) stop(child);
    root.open.clear();
    this.asking.value = question;
    return true;
  }

  /** The number of rows in all, those of expanded rows included. */
  length(known: number): number {
    return known + [...this.root.open.values()].reduce((n, child) => n + count(child), 0);
  }

  at(position: number): Item {
    let node = this.root;
    let left = position;
    for (;;) {
      let before = 0; // rows of expanded rows above
      let inside: Node | null = null;
      for (const [index, child] of sorted(node)) {
        if (left <= index + before) break;
        const n = count(child);
        if (left <= index + before + n) {
          inside = child;
          left -= index + before + 1;
          break;
        }
        before += n;
      }
      if (!inside) return item(node, left - before);
      node = inside;
    }
  }

  /** Where a row of a list is among all. */
  position(node: Node, index: number): number {
    let at = index;
    for (const [i, child] of node.open) if (i < index) at += count(child);
    return node.parent ? this.position(node.parent, node.at) + 1 + at : at;
  }

  toggle(found: Item): void {
    const { node, index, row } = found;
    const level = below(node.level);
    if (!row || !level || found.stale || !this.question) return;
    const child = node.open.get(index);
    if (child) {
      stop(child);
      node.open.delete(index);
    } else {
      const where = [...node.where, ...keys(node.level, found.read)];
      const next = this.#node(level, where, node, index, size(node.level, found.read));
      node.open.set(index, next);
      this.#ask(next, this.question);
    }
    this.version.value++;
  }

  /** Says which rows are in view, so that they and their neighbours are fetched. */
  want(first: number, end: number, dragging: boolean): void {
    const seen = new Map<Node, [number, number]>();
    for (let i = first; i < end; i++) {
      const { node, index } = this.at(i);
      const range = seen.get(node);
      if (!range) seen.set(node, [index, index]);
      else range[1] = index;
    }
    for (const [node, [from, to]] of seen) node.rows.want(from, to + 1, dragging);
  }

  stop(): void {
    stop(this.root);
  }

  #node(level: Level, where: Where, parent: Node | null, at: number, expected: number): Node {
    const rows = new Rows(this.link, this.version);
    return { level, where, depth: parent ? parent.depth + 1 : 0, rows, places: new Map(), open: new Map(), expected, parent, at };
  }

  #ask(node: Node, { sort, columns, only }: Question): boolean {
    const names = [...new Set([...columns, ...needed(node.level, node.depth > 0)])];
    node.places = new Map(names.map((n, i) => [n, i + 1]));
    // A patient's studies tell a story in the order of their dates.
    const dated = !sort.length && node.depth > 0 && node.level === "study";
    const order = dated ? [{ column: "StudyDate", descending: false }] : sort;
    return node.rows.ask({ where: node.where, level: node.level, sort: order, columns: names, only });
  }
}

function item(node: Node, index: number): Item {
  const found = node.rows.at(index);
  const row = found?.row ?? null;
  const read = (column: string): Cell | undefined => row?.[node.places.get(column) ?? -1];
  return { node, index, row, stale: found?.stale ?? false, expanded: node.open.has(index), read };
}

const sorted = (node: Node): [number, Node][] =>
  node.open.size ? [...node.open].sort((a, b) => a[0] - b[0]) : [];

function count(node: Node): number {
  let n = node.rows.total.peek() ?? node.expected;
  for (const child of node.open.values()) n += count(child);
  return n;
}

function stop(node: Node): void {
  node.rows.stop();
  for (const child of node.open.values()) stop(child);
}
