// The model of a saved view: the state that was saved with it, and nobody who answers.

import { same } from "../cohort/condition";
import type { Model } from "../kernel/protocol";

type Heard = (...args: never[]) => void;

/** The requests whose replies were saved: the first page, and the totals of the saved filters. */
export interface Replies {
  page?: { request: Record<string, unknown>; result: { rows: unknown[] } };
  totals?: unknown;
}

const NEEDS_KERNEL: Record<string, string> = {
  page: "The rows of these filters need a running kernel: run the cell again.",
  cube: "This filter needs a running kernel: run the cell again.",
};

export class SavedModel implements Model {
  readonly isSaved = true;
  readonly #listeners = new Map<string, Set<Heard>>();
  readonly #where: unknown;

  constructor(
    readonly state: Record<string, unknown>,
    readonly replies: Replies,
  ) {
    this.#where = state._where;
  }

  get(name: string): unknown {
    return this.state[name];
  }

  set(name: string, value: unknown): void {
    this.state[name] = value;
    this.#emit(`change:${name}`);
  }

  save_changes(): void {}

  send(content: unknown): void {
    const { id, op, ...payload } = content as Record<string, unknown> & { id: string; op: string };
    const result = this.#reply(op, payload);
    const error = NEEDS_KERNEL[op] ?? "This needs a running kernel: run the cell again.";
    queueMicrotask(() => this.#emit("msg:custom", result === undefined ? { id, ok: false, error } : { id, ok: true, result }));
  }

  on(event: string, callback: Heard): void {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event)!.add(callback);
  }

  off(event: string, callback: Heard): void {
    this.#listeners.get(event)?.delete(callback);
  }

  #reply(op: string, payload: Record<string, unknown>): unknown {
    const { page, totals } = this.replies;
    if (op === "totals" && same(payload.where, this.#where)) return totals;
    if (op !== "page" || !page) return undefined;
    const { columns, ...of } = page.request as { columns: string[] };
    if (!Object.entries(of).every(([name, value]) => same(payload[name], value))) return undefined;
    const at = (payload.columns as string[]).map((name) => columns.indexOf(name) + 1);
    if (at.includes(0)) return undefined;
    // As many rows as were saved: a scrollbar over rows that will never come would be a promise.
    const { rows } = page.result;
    const { offset, limit } = payload as { offset: number; limit: number };
    const part = (rows as unknown[][]).slice(offset, offset + limit).map((row) => [row[0], ...at.map((i) => row[i])]);
    return { ...page.result, rows: part, total: rows.length };
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const f of [...(this.#listeners.get(event) ?? [])]) (f as (...a: unknown[]) => void)(...args);
  }
}
