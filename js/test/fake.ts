// A widget model without a kernel: keeps what is sent, and replies when a test says so.

import type { Model } from "../src/kernel/protocol";

type Heard = (...args: never[]) => void;

export class FakeModel implements Model {
  readonly sent: Record<string, unknown>[] = [];
  readonly listeners = new Map<string, Set<Heard>>();
  saved = 0;
  widget_manager?: { get_model(id: string): Promise<Model> };
  /** Answers by op, given at once (in a microtask). */
  answers: Record<string, (message: Record<string, unknown>) => unknown> = {};

  constructor(readonly state: Record<string, unknown>) {}

  get(name: string): unknown {
    return this.state[name];
  }
  set(name: string, value: unknown): void {
    this.state[name] = value;
    this.emit(`change:${name}`);
  }
  save_changes(): void {
    this.saved++;
  }
  send(content: unknown): void {
    const message = content as Record<string, unknown>;
    this.sent.push(message);
    const answer = this.answers[message.op as string];
    if (answer) queueMicrotask(() => this.emit("msg:custom", { id: message.id, ok: true, result: answer(message) }));
  }
  on(event: string, callback: Heard): void {
    if (!this.listeners.has(event)) this.listeners.set(event, new Set());
    this.listeners.get(event)!.add(callback);
  }
  off(event: string, callback: Heard): void {
    this.listeners.get(event)?.delete(callback);
  }
  emit(event: string, ...args: unknown[]): void {
    for (const f of [...(this.listeners.get(event) ?? [])]) (f as (...a: unknown[]) => void)(...args);
  }
  reply(index: number, result: unknown): void {
    this.emit("msg:custom", { id: this.sent[index]!.id, ok: true, result });
  }
  refuse(index: number, error: string): void {
    this.emit("msg:custom", { id: this.sent[index]!.id, ok: false, error });
  }
  get heard(): number {
    return [...this.listeners.values()].reduce((n, s) => n + s.size, 0);
  }
}
