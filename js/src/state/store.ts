// What the views of one Explorer share: its state as signals, the cube's answers, and what the kernel is asked.

import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { same, toggle, type Value, type Where } from "../cohort/condition";
import { Cube, type Result } from "../cube/cube";
import { Latest, Link } from "../kernel/link";
import type {
  Catalog, CubeMessage, Destination, Model, PanelState, Plan, Provider, SelectionTotals, SortKey, TableState, Ticks, Totals,
} from "../kernel/protocol";
import { History } from "./history";
import { headerState, NONE, nothing, TickSet } from "./ticks";

const CUBES_KEPT = 6; // a preset switched off and on again needs no kernel
const PAINT_MS = 30; // the counts are painted first, the kernel is asked then
const TYPING_MS = 250;
const TICKING_MS = 80;
const MOST_PLANNED = 50_000; // series: a plan of those takes the kernel a second or two

/** An answer together with the question it belongs to, so that it is never shown for another. */
interface Answer<Q, T> {
  to: Q;
  value: T | null;
  error: string;
}

export interface PlanQuestion {
  ticks: Ticks;
  destination: string;
  provider: Provider;
}

export type KernelState = "live" | "saved" | "gone";

/** What the views of a store show; what none of them does is neither counted nor asked. */
export interface Needs {
  /** Rows and bytes that match, from the cube. */
  counts: boolean;
  /** And each facet's counts. */
  facets: boolean;
  totals: boolean;
  selection: boolean;
}

export const EVERYTHING: Needs = { counts: true, facets: true, totals: true, selection: true };

export class Store {
  readonly link: Link;
  readonly catalog: Signal<Catalog | null> = signal(null);
  readonly where: Signal<Where> = signal([]);
  readonly sort: Signal<SortKey[]> = signal([]);
  readonly ticks: Signal<Ticks> = signal(NONE);
  readonly table: Signal<TableState> = signal({});
  readonly destination = signal("");
  /** The cloud that downloads come from. */
  readonly provider: Signal<Provider> = signal<Provider>("aws");
  readonly panel: Signal<PanelState> = signal({});
  /** A facet that somebody wants to see; set anew for each wish. */
  readonly reveal: Signal<{ column: string } | null> = signal(null);
  readonly history = new History(this.where, (where) => this.setWhere(where), () => this.#moved);
  readonly cube: Signal<Cube | null> = signal(null);
  /** The last counts; those of `where` only while `current`. */
  readonly result: Signal<Result | null> = signal(null);
  readonly current = signal(false);
  readonly cubeError = signal("");
  readonly destinationInfo: Signal<Answer<string, Destination> | null> = signal(null);
  readonly tickSet = computed(() => new TickSet(this.ticks.value));
  readonly allTicked = computed(() => headerState(this.ticks.value, this.where.value));
  readonly totals: ReadonlySignal<Totals | null>;
  readonly totalsError: ReadonlySignal<string>;
  readonly selection: ReadonlySignal<SelectionTotals | null>;
  readonly selectionError: ReadonlySignal<string>;
  /** "saved": a copy that never had a kernel; "gone": the kernel ended or was restarted. */
  readonly kernel: ReadonlySignal<KernelState>;
  /** Whether anybody answers: what needs that is not offered else. */
  readonly live = computed(() => this.kernel.value === "live");

  /** What a download of what is ticked would do; null while that is not known. */
  readonly plan: ReadonlySignal<Answer<PlanQuestion | null, Plan> | null>;
  /** What it is worked out for; null where nothing is to be planned, or too much. */
  readonly planning: ReadonlySignal<PlanQuestion | null>;
  /** Counts what made a new plan necessary: a download that began or ended. */
  readonly fetched = signal(0);
  readonly #plan: Signal<Answer<PlanQuestion | null, Plan> | null> = signal(null);

  /** Ticked series that the filters leave out. */
  readonly hidden: ReadonlySignal<number | null>;

  readonly #tickedWithin = computed(() => ({ ticks: this.ticks.value, where: this.where.value }));
  readonly #hidden: Signal<Answer<{ ticks: Ticks; where: Where }, { series: number }> | null> = signal(null);
  readonly #totals: Signal<Answer<Where, Totals> | null> = signal(null);
  readonly #selection: Signal<Answer<Ticks, SelectionTotals> | null> = signal(null);
  /** The newest last. */
  readonly #cubes = new Set<Cube>();
  readonly #unsaved = new Map<string, unknown>();
  #saving: ReturnType<typeof setTimeout> | undefined;
  #cubeData: unknown = null;
  /** Whether the conditions are on their way to where the pointer will leave them. */
  #moved = false;
  #views = 0;
  #stop: (() => void)[] = [];

  constructor(
    readonly model: Model,
    readonly needs: Needs = EVERYTHING,
  ) {
    this.link = new Link(model);
    this.kernel = computed(() => (model.isSaved ? "saved" : this.link.gone.value ? "gone" : "live"));
    this.totals = computed(() => {
      const a = this.#totals.value;
      return a && same(a.to, this.where.value) ? a.value : null;
    });
    this.totalsError = computed(() => (this.#totals.value?.to === this.where.value ? this.#totals.value.error : ""));
    this.selection = computed(() => (this.#selection.value?.to === this.ticks.value ? this.#selection.value.value : null));
    this.planning = computed(() => {
      this.fetched.value;
      const series = this.selection.value?.series ?? 0;
      const place = this.destinationInfo.value;
      if (!series || series > MOST_PLANNED || !place?.value?.writable || place.to !== this.destination.value) return null;
      return { ticks: this.ticks.value, destination: place.to, provider: this.provider.value };
    });
    this.plan = computed(() => (this.#plan.value?.to === this.planning.value ? this.#plan.value : null));
    this.hidden = computed(() => (this.#hidden.value?.to === this.#tickedWithin.value ? (this.#hidden.value.value?.series ?? null) : null));
    this.selectionError = computed(() =>
      this.#selection.value?.to === this.ticks.value ? this.#selection.value.error : "",
    );
  }

  /** A view came: the first one connects to the model. Returns how it leaves. */
  attach(): () => void {
    if (this.#views++ === 0) this.#connect();
    let attached = true;
    return () => {
      if (attached && --this.#views === 0) this.#disconnect();
      attached = false;
    };
  }

  /** Sets the conditions; while something is `moving` under the pointer the kernel does not hear of each step. */
  setWhere(where: Where, moving = false): void {
    if (same(where, this.where.value) && (moving || !this.#moved)) return;
    this.#moved = moving;
    this.where.value = where;
    if (!moving) this.#save("_where", where);
  }

  /** Whether the counts that are here, or whoever answers, can tell what these conditions leave. */
  countable(where: Where): boolean {
    return this.live.value || this.cube.value === null || [...this.#cubes].some((c) => same(c.outsideOf(where), c.outside) && c.answers(where));
  }

  toggle(column: string, value: Value, out = false): void {
    this.setWhere(toggle(this.where.value, column, value, out));
  }

  setSort(sort: SortKey[]): void {
    this.sort.value = sort;
    this.#save("_sort", sort);
  }

  setTicks(ticks: Ticks): void {
    this.ticks.value = ticks;
    this.#save("_ticks", ticks);
  }

  setTable(change: Partial<TableState>): void {
    this.table.value = { ...this.table.value, ...change };
    this.#save("_table", this.table.value);
  }

  setDestination(path: string): void {
    this.destination.value = path;
    this.#save("_destination", path);
  }

  setProvider(provider: Provider): void {
    this.provider.value = provider;
    this.#save("provider", provider);
  }

  setPanel(change: PanelState): void {
    this.panel.value = { ...this.panel.value, ...change };
    this.#save("_panel", this.panel.value);
  }

  /** Writes what is unsaved to the model now; a request that depends on it must not overtake it. */
  flush(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    if (!this.#unsaved.size) return;
    for (const [name, value] of this.#unsaved) this.model.set(name, value);
    this.#unsaved.clear();
    this.model.save_changes();
  }

  /** State goes to the kernel when the click is done with, and before a cell run right after it. */
  #save(name: string, value: unknown): void {
    this.#unsaved.set(name, value);
    this.#saving ??= setTimeout(() => this.flush(), 0);
  }

  #connect(): void {
    const { model } = this;
    this.link.connect();
    const listen = (name: string, read: () => void): void => {
      const heard = (): void => {
        if (!this.#unsaved.has(name)) read(); // the person's newer click stands
      };
      model.on(`change:${name}`, heard);
      this.#stop.push(() => model.off(`change:${name}`, heard));
      heard();
    };
    batch(() => {
      listen("_catalog", () => (this.catalog.value = filled(model.get("_catalog")) as Catalog | null));
      listen("_where", () => adopt(this.where, (model.get("_where") as Where | null) ?? []));
      listen("_sort", () => adopt(this.sort, (model.get("_sort") as SortKey[] | null) ?? []));
      listen("_ticks", () => adopt(this.ticks, (filled(model.get("_ticks")) as Ticks | null) ?? NONE));
      listen("_table", () => adopt(this.table, (model.get("_table") as TableState | null) ?? {}));
      listen("_destination", () => adopt(this.destination, String(model.get("_destination") ?? "")));
      listen("provider", () => adopt(this.provider, (model.get("provider") as Provider | null) ?? "aws"));
      listen("_panel", () => adopt(this.panel, (model.get("_panel") as PanelState | null) ?? {}));
      if (this.needs.counts) listen("_cube", () => void this.#readCube());
    });
    this.#stop.push(this.history.follow());
    if (this.needs.counts) this.#stop.push(this.#followCube());
    if (this.needs.totals) this.#stop.push(this.#followTotals());
    if (this.needs.selection) {
      this.#stop.push(
        this.#follow("selection", TICKING_MS, this.ticks, this.#selection, (t) => (nothing(t) ? null : { ticks: t })),
        this.#follow("hidden", TICKING_MS, this.#tickedWithin, this.#hidden, (q) => (nothing(q.ticks) || !q.where.length ? null : q)),
        this.#follow("plan", TICKING_MS, this.planning, this.#plan, (q) => q),
        this.#follow("destination", TYPING_MS, this.destination, this.destinationInfo, (path) => ({ path })),
      );
    }
  }

  #disconnect(): void {
    this.flush();
    for (const stop of this.#stop.splice(0)) stop();
    this.link.disconnect();
  }

  async #readCube(): Promise<void> {
    const message = filled(this.model.get("_cube")) as CubeMessage | null;
    if (!message || message === this.#cubeData) return;
    this.#cubeData = message;
    this.#cubes.clear(); // the kernel's cube changed: older ones may be of another catalogue
    try {
      const cube = await Cube.decode(message);
      if (message === this.#cubeData) this.#keep(cube);
    } catch (error) {
      this.cubeError.value = `The counts could not be read: ${text(error)}`;
    }
  }

  #keep(cube: Cube): void {
    this.#cubes.add(cube);
    if (this.#cubes.size > CUBES_KEPT) this.#cubes.delete(this.#cubes.values().next().value!);
    batch(() => {
      this.cube.value = cube;
      this.cubeError.value = "";
    });
  }

  /** Counts again whenever a condition changes, and asks for another cube when this one cannot answer. */
  #followCube(): () => void {
    const asked = new Latest<CubeMessage>(this.link, "cube");
    return effect(() => {
      const where = this.where.value;
      const cube = this.cube.value;
      const facets = this.catalog.value?.facets;
      if (!cube) return;
      const outside = cube.outsideOf(where);
      const fit = [cube, ...this.#cubes].find((c) => same(outside, c.outside) && c.answers(where));
      if (fit) {
        asked.drop();
        const result = fit.count(where, this.needs.facets ? facets?.map((f) => f.name) : []);
        batch(() => {
          this.result.value = result;
          this.current.value = true;
          this.cubeError.value = "";
        });
        return;
      }
      this.current.value = false;
      const fail = (e: unknown): void => void (this.cubeError.value = text(e));
      asked.ask({ outside, edges: cube.edgesFor(where) }, (message) => void Cube.decode(message).then((c) => this.#keep(c), fail), fail);
    });
  }

  #followTotals(): () => void {
    const asked = new Latest<Totals>(this.link, "totals");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      const where = this.where.value;
      const all = this.catalog.value?.totals;
      clearTimeout(timer);
      asked.drop();
      if (!where.length && all) {
        this.#totals.value = { to: where, value: all, error: "" };
        return;
      }
      timer = setTimeout(() => {
        asked.ask(
          { where },
          (value) => (this.#totals.value = { to: where, value, error: "" }),
          (e) => (this.#totals.value = { to: where, value: null, error: text(e) }),
        );
      }, PAINT_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }

  /** Asks `op` about a signal's value whenever it has rested for a moment. */
  #follow<Q, T>(
    op: string, rest: number, question: ReadonlySignal<Q>, answer: Signal<Answer<Q, T> | null>, payload: (q: Q) => object | null,
  ): () => void {
    const asked = new Latest<T>(this.link, op);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      const to = question.value;
      clearTimeout(timer);
      asked.drop();
      const content = payload(to);
      if (!content) {
        answer.value = null;
        return;
      }
      timer = setTimeout(() => {
        asked.ask(
          content,
          (value) => (answer.value = { to, value, error: "" }),
          (e) => (answer.value = { to, value: null, error: text(e) }),
        );
      }, rest);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Traits start as {} or null before the kernel has filled them. */
const filled = (value: unknown): unknown =>
  value !== null && typeof value === "object" && Object.keys(value).length ? value : null;

/** Sets a signal unless it says the same already: an echo must not start everything again. */
function adopt<T>(target: Signal<T>, value: T): void {
  if (!same(target.peek(), value)) target.value = value;
}
