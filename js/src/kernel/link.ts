// Requests to the kernel and its replies. A busy kernel may take minutes, so nothing times out; what is pending shows.

import { signal, type Signal } from "@preact/signals";
import type { FetchNote, Model } from "./protocol";

const PATIENCE_MS = 1500; // how long a kernel is silent before that is said; a running cell or a long query may be the reason
const STALE_MS = 5000; // a lost message must not block its channel for ever

export const GONE = "The kernel was restarted or is gone. Run the cell again; downloads go on.";

/** An error sentence from the kernel, fit to be shown. */
export class KernelError extends Error {}

interface Pending {
  since: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Requests and replies over one model. */
export class Link {
  /** True while a request has gone unanswered for long enough to say so. */
  readonly waiting: Signal<boolean> = signal(false);
  /** Why no reply will come any more; "" while one may. */
  readonly gone: Signal<string> = signal("");
  /** Tables on their way to the kernel's machine, by name, with what it last said of each. */
  readonly fetches: Signal<Readonly<Record<string, FetchNote>>> = signal({});
  /** Counts disconnections: replies asked for in an earlier generation never come. */
  generation = 0;
  // Every page that is connected to the kernel hears every reply, so ids carry who asked.
  readonly #prefix = Math.random().toString(36).slice(2, 10);
  readonly #pending = new Map<string, Pending>();
  #next = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly model: Model) {}

  connect(): void {
    this.model.on("msg:custom", this.#receive);
  }

  disconnect(): void {
    this.model.off("msg:custom", this.#receive);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.waiting.value = false;
    this.generation++; // whoever waited for a reply need not any more
    this.#pending.clear();
  }

  /** The kernel is gone: what was asked gets no answer, and what will be asked none either. */
  end(why: string): void {
    if (this.gone.peek()) return;
    this.gone.value = why;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#watch();
    for (const p of pending) p.reject(new KernelError(why));
  }

  request<T>(op: string, payload: object = {}): Promise<T> {
    if (this.gone.peek()) return Promise.reject(new KernelError(this.gone.peek()));
    const id = `${this.#prefix}-${this.#next++}`;
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { since: performance.now(), resolve: resolve as (r: unknown) => void, reject });
      this.#watch();
      try {
        this.model.send({ id, op, ...payload });
      } catch (error) {
        this.#pending.delete(id);
        this.#watch();
        // The comm is closed: the kernel that made this view is gone.
        console.warn("idc_widgets:", error);
        reject(new KernelError(GONE));
        this.end(GONE);
      }
    });
  }

  /** Keeps what is known of a fetch. */
  note(message: FetchNote): void {
    this.fetches.value = { ...this.fetches.value, [message.table]: message };
  }

  readonly #receive = (message: { id?: string; ok?: boolean; result?: unknown; error?: string } | FetchNote): void => {
    if ("event" in message) {
      this.note(message);
      return;
    }
    const pending = message?.id === undefined ? undefined : this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id!);
    this.#watch();
    if (message.ok) pending.resolve(message.result);
    else pending.reject(new KernelError(message.error || "The kernel gave no reason."));
  };

  /** Sets `waiting` by the age of the oldest request, and looks again when that may change. */
  #watch(): void {
    clearTimeout(this.#timer);
    const oldest = this.#pending.values().next().value;
    const age = oldest ? performance.now() - oldest.since : 0;
    this.waiting.value = oldest !== undefined && age >= PATIENCE_MS;
    this.#timer = oldest && age < PATIENCE_MS ? setTimeout(() => this.#watch(), PATIENCE_MS - age + 1) : undefined;
  }
}

/**
 * A question of which only the newest wording matters.
 *
 * One request is under way at a time; of those asked meanwhile only the last is sent. So a busy kernel finds one
 * question when it comes back, and not one for every click.
 */
export class Latest<T> {
  #turn = 0;
  #running: { turn: number; since: number; generation: number } | null = null;
  #next: (() => void) | null = null;

  constructor(
    readonly link: Link,
    readonly op: string,
  ) {}

  /** Asks; `done` or `fail` is called unless a newer question came. */
  ask(payload: object, done: (result: T) => void, fail: (error: Error) => void): void {
    const turn = ++this.#turn;
    const go = (): void => {
      this.#running = { turn, since: performance.now(), generation: this.link.generation };
      const settle = (act: () => void): void => {
        if (turn === this.#turn) act();
        if (this.#running?.turn !== turn) return;
        this.#running = null;
        const next = this.#next;
        this.#next = null;
        next?.();
      };
      this.link.request<T>(this.op, payload).then(
        (result) => settle(() => done(result)),
        (error: Error) => settle(() => fail(error)),
      );
    };
    if (this.#busy()) this.#next = go;
    else {
      this.#next = null;
      go();
    }
  }

  /** Nothing is wanted any more; a reply under way is dropped. */
  drop(): void {
    this.#turn++;
    this.#next = null;
  }

  #busy(): boolean {
    const r = this.#running;
    return r !== null && r.generation === this.link.generation && performance.now() - r.since < STALE_MS;
  }
}
