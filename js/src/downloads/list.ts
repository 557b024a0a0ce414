// The series of one job: the rows in view, asked for again while they change.

import { type Signal, signal } from "@preact/signals";
import { Latest, type Link } from "../kernel/link";
import type { SeriesPage, SeriesRow, SeriesState } from "../kernel/protocol";

const MARGIN = 30; // rows beyond the view
const KEPT = 4000;

export class SeriesList {
  readonly counts: Signal<Record<SeriesState, number> | null> = signal(null);
  readonly state: Signal<SeriesState | null> = signal(null);
  readonly error = signal("");
  /** Counts the changes of rows. */
  readonly version = signal(0);
  readonly #rows = new Map<number, SeriesRow>();
  readonly #asked: Latest<SeriesPage>;
  #from = 0;
  #end = 20;

  constructor(link: Link, readonly job: string) {
    this.#asked = new Latest<SeriesPage>(link, "series");
  }

  at(index: number): SeriesRow | undefined {
    return this.#rows.get(index);
  }

  get total(): number {
    const counts = this.counts.value;
    if (!counts) return 0;
    return this.state.value ? counts[this.state.value] : Object.values(counts).reduce((a, b) => a + b, 0);
  }

  setState(state: SeriesState | null): void {
    if (state === this.state.peek()) return;
    this.state.value = state;
    this.#rows.clear();
    this.version.value++;
    this.show(0, 20);
  }

  /** These rows are in view now. */
  show(from: number, end: number): void {
    this.#from = from;
    this.#end = end;
    this.refresh();
  }

  refresh(): void {
    const state = this.state.peek();
    const offset = Math.max(0, this.#from - MARGIN);
    const limit = Math.min(200, this.#end + MARGIN - offset);
    this.#asked.ask(
      { job: this.job, state, offset, limit },
      (page) => {
        // Of a state's series the order changes as they come and go.
        if (state || this.#rows.size > KEPT) this.#rows.clear();
        page.rows.forEach((row, i) => this.#rows.set(offset + i, row));
        this.counts.value = page.counts;
        this.error.value = "";
        this.version.value++;
      },
      (e) => (this.error.value = e.message),
    );
  }

  stop(): void {
    this.#asked.drop();
  }
}

/** A series' state in words. */
export function seriesText(r: SeriesRow): string {
  if (r.state === "retrying") return `retry in ${Math.round(r.retry_in ?? 0)} s`;
  return r.state === "queued" && r.files_done > 0 ? "to be continued" : r.state;
}
