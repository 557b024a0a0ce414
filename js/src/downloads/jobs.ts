// Download jobs: their model, and what is said of each.

import { type Signal, signal } from "@preact/signals";
import { duration, size } from "../format";
import { Link } from "../link/link";
import type { Failures, Job, Model } from "../link/protocol";

export const active = (j: Job): boolean => !["complete", "failed", "cancelled"].includes(j.state);

export type Op = "cancel" | "pause" | "resume" | "retry";

/** What the views of one DownloadPanel share. */
export class Downloads {
  readonly jobs: Signal<Job[]> = signal([]);
  readonly error = signal("");
  readonly link: Link;
  /** Requests under way, as "op job". */
  readonly asked: Signal<ReadonlySet<string>> = signal(new Set());
  #views = 0;

  constructor(readonly model: Model) {
    this.link = new Link(model);
  }

  attach(): () => void {
    if (this.#views++ === 0) {
      this.link.connect();
      this.model.on("change:_jobs", this.#read);
      this.#read();
    }
    let attached = true;
    return () => {
      if (attached && --this.#views === 0) {
        this.model.off("change:_jobs", this.#read);
        this.link.disconnect();
        this.asked.value = new Set();
      }
      attached = false;
    };
  }

  async command(op: Op, job: string): Promise<void> {
    const key = `${op} ${job}`;
    if (this.asked.value.has(key)) return;
    this.asked.value = new Set([...this.asked.value, key]);
    this.error.value = "";
    try {
      await this.link.request(op, { job });
    } catch (e) {
      this.error.value = e instanceof Error ? e.message : String(e);
    } finally {
      this.asked.value = new Set([...this.asked.value].filter((k) => k !== key));
    }
  }

  failures(job: string): Promise<Failures> {
    return this.link.request<Failures>("failures", { job });
  }

  readonly #read = (): void => {
    const jobs = this.model.get("_jobs");
    this.jobs.value = Array.isArray(jobs) ? (jobs as Job[]) : [];
  };
}

const ofModel = new WeakMap<Model, Downloads>();

/** The Downloads of a model; views of the same model share it. */
export function downloadsOf(model: Model): Downloads {
  let d = ofModel.get(model);
  if (!d) ofModel.set(model, (d = new Downloads(model)));
  return d;
}

/** The end of a job, or what it is doing, in words. */
export function stateText(j: Job): string {
  switch (j.state) {
    case "queued": return "queued";
    case "listing": return "listing files";
    case "running": return "downloading";
    case "verifying": return "verifying";
    case "paused": return "paused";
    case "complete": return "complete, verified";
    case "failed": return j.failed > 0 ? `failed: ${j.failed.toLocaleString("en-US")} ${j.failed === 1 ? "file" : "files"} missing` : "failed";
    case "cancelled": return "cancelled";
    default: return j.state;
  }
}

/** How full the bar is: verified bytes, and those in flight on top, as fractions of all. */
export function fractions(j: Job): { done: number; flight: number } {
  if (j.state === "complete") return { done: 1, flight: 0 };
  if (!(j.bytes_total > 0)) return { done: 0, flight: 0 };
  const done = Math.min(1, j.bytes_done / j.bytes_total);
  return { done, flight: active(j) ? Math.min(1 - done, j.bytes_in_flight / j.bytes_total) : 0 };
}

/** "1.94 of 3.12 GB": the unit once, when both have it. */
export function bytesText(j: Job): string {
  const total = size(j.bytes_total);
  if (j.state === "complete") return total;
  const done = size(j.bytes_done);
  const [number, unit] = done.split(" ");
  return `${total.endsWith(` ${unit}`) ? number : done} of ${total}`;
}

export function paceText(j: Job): { speed: string; left: string } {
  const moving = j.state === "running" || j.state === "verifying";
  return {
    speed: moving && j.speed ? `${size(j.speed)}/s` : "",
    left: moving && j.eta !== null && j.eta !== undefined && Number.isFinite(j.eta) ? `${duration(j.eta)} left` : "",
  };
}
