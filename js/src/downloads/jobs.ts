// Download jobs: their model, and what is said of each.

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { Link } from "../kernel/link";
import type { Job, Model } from "../kernel/protocol";
import { duration, plural, size } from "../ui/format";

const QUIET_MS = 8000; // the kernel gives a sign of life every two seconds or so while a job is under way

export const active = (j: Job): boolean => !["paused", "complete", "failed", "cancelled"].includes(j.state);
export const ended = (j: Job): boolean => ["complete", "failed", "cancelled"].includes(j.state);

/** What the views of one DownloadPanel share. */
export class Downloads {
  /** Jobs that have not ended, newest first. */
  readonly jobs: Signal<Job[]> = signal([]);
  /** Those that have, as far as they are here. */
  readonly past: ReadonlySignal<Job[]>;
  readonly endedCount = signal(0);
  readonly error = signal("");
  readonly link: Link;
  /** Requests under way, as "op job". */
  readonly asked: Signal<ReadonlySet<string>> = signal(new Set());
  /** Whether what is shown may be old: nothing was heard for long. */
  readonly quiet = signal(false);
  /** When the kernel was last heard. */
  heard = new Date();

  readonly #newest: Signal<Job[]> = signal([]);
  readonly #older: Signal<Job[]> = signal([]);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #views = 0;

  /** What was shown of jobs at work: bytes in flight may come to nothing, the bar does not go back for that. */
  readonly #shown = new Map<string, number>();

  constructor(readonly model: Model) {
    this.link = new Link(model);
    this.past = computed(() => {
      const here = new Set([...this.jobs.value, ...this.#newest.value].map((j) => j.id));
      return [...this.#newest.value, ...this.#older.value.filter((j) => !here.has(j.id))];
    });
  }

  attach(): () => void {
    if (this.#views++ === 0) {
      this.link.connect();
      for (const name of ["_jobs", "_past", "_beat"]) this.model.on(`change:${name}`, this.#read);
      this.#read();
    }
    let attached = true;
    return () => {
      if (attached && --this.#views === 0) {
        for (const name of ["_jobs", "_past", "_beat"]) this.model.off(`change:${name}`, this.#read);
        clearTimeout(this.#timer);
        this.link.disconnect();
        this.asked.value = new Set();
      }
      attached = false;
    };
  }

  /** Asks something of a job; says whether that was done, and puts into `error` why not. */
  async command(op: string, job: string, more: object = {}): Promise<boolean> {
    const key = `${op} ${job}`;
    if (this.asked.value.has(key)) return false;
    this.asked.value = new Set([...this.asked.value, key]);
    this.error.value = "";
    try {
      await this.link.request(op, { job, ...more });
      return true;
    } catch (e) {
      this.error.value = text(e);
      return false;
    } finally {
      this.asked.value = new Set([...this.asked.value].filter((k) => k !== key));
    }
  }

  /** Shows these ended jobs no more; without any, all of them. */
  async putAway(jobs: string[]): Promise<void> {
    const older = this.#older.value;
    this.#older.value = jobs.length ? older.filter((j) => !jobs.includes(j.id)) : [];
    if (!(await this.command("away", jobs.join(), { jobs }))) this.#older.value = older;
  }

  /** Fetches so many of the jobs that ended long ago. */
  async upTo(wanted: number): Promise<void> {
    const offset = this.past.peek().length;
    const limit = Math.min(wanted, this.endedCount.peek()) - offset;
    if (limit <= 0) return;
    try {
      const found = await this.link.request<Job[]>("history", { offset, limit });
      this.#older.value = [...this.#older.value, ...found];
    } catch (e) {
      this.error.value = text(e);
    }
  }

  /** The bytes to show of a job, which never fall while it is at work. */
  shown(j: Job): number {
    const now = arrived(j);
    const most = active(j) ? Math.max(now, this.#shown.get(j.id) ?? 0) : now;
    this.#shown.set(j.id, most);
    return most;
  }

  readonly #read = (): void => {
    const list = (name: string): Job[] => {
      const value = this.model.get(name);
      return Array.isArray(value) ? (value as Job[]) : [];
    };
    batch(() => {
      this.jobs.value = list("_jobs");
      this.#newest.value = list("_past");
      this.endedCount.value = Number(this.model.get("_ended") ?? 0) || this.#newest.value.length;
      this.quiet.value = false;
    });
    this.heard = new Date();
    clearTimeout(this.#timer);
    if (this.jobs.value.length) this.#timer = setTimeout(() => (this.quiet.value = true), QUIET_MS);
  };
}

const text = (e: unknown): string => (e instanceof Error ? e.message : String(e));

const ofModel = new WeakMap<Model, Downloads>();

/** The Downloads of a model; views of the same model share it. */
export function downloadsOf(model: Model): Downloads {
  let d = ofModel.get(model);
  if (!d) ofModel.set(model, (d = new Downloads(model)));
  return d;
}

/** The end of a job, or what it is at, in words. */
export function stateText(j: Job): string {
  const time = duration(Math.max(0, j.seconds ?? 0));
  switch (j.kind) {
    case "listing": return "listing files";
    case "retrying": return `waiting to retry in ${time}`;
    case "stalled": return `stalled, no byte for ${time}`;
    case "complete": return "complete, verified";
    case "incomplete": return `complete with ${plural(j.failed, "failure")}`;
    default: return j.kind;
  }
}

/** Why a job waits, or what went wrong; "" when there is nothing to say. */
export function why(j: Job): string {
  if (j.error) return j.error;
  return ["retrying", "stalled", "queued", "paused"].includes(j.kind) ? (j.reason ?? "") : "";
}

/** How full the bar is: verified bytes, and those in flight on top (or all that was shown before), as fractions of all. */
export function fractions(j: Job, shown = arrived(j)): { done: number; flight: number } {
  if (j.state === "complete") return { done: 1, flight: 0 };
  if (!(j.bytes_total > 0)) return { done: 0, flight: 0 };
  const done = Math.min(1, j.bytes_done / j.bytes_total);
  return { done, flight: Math.max(0, Math.min(1, shown / j.bytes_total) - done) };
}

/** The bytes to show: verified ones and, while it is at work, those in flight; all of them only once all are verified. */
export function arrived(j: Job): number {
  if (j.state === "complete") return j.bytes_total;
  return Math.max(j.bytes_done, active(j) ? Math.min(j.bytes_done + j.bytes_in_flight, j.bytes_total - 1) : 0);
}

/** "1.94 of 3.12 GB": the unit once, when both have it. */
export function partText(done: number, total: number): string {
  const all = size(total);
  if (done >= total) return all;
  const part = size(done);
  const [number, unit] = part.split(" ");
  return `${all.endsWith(` ${unit}`) ? number : part} of ${all}`;
}

export function paceText(j: Job): { speed: string; left: string } {
  const moving = j.kind === "downloading" || j.kind === "verifying" || j.kind === "listing";
  return {
    speed: moving && j.speed ? `${size(j.speed)}/s` : "",
    left: moving && j.eta !== null && j.eta !== undefined && Number.isFinite(j.eta) ? `${duration(j.eta)} left` : "",
  };
}

/** A path as its last folder and what is before it, so that the end stays in sight. */
export function splitPath(path: string): [head: string, tail: string] {
  const at = Math.max(path.lastIndexOf("/", path.length - 2), path.lastIndexOf("\\", path.length - 2));
  return at > 0 ? [path.slice(0, at), path.slice(at)] : ["", path];
}
