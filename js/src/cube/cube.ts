// The facet cube: every distinct combination of the categorical columns (a group) and, within it, of bins (a cell),
// with exact sums over them.

import type { Condition, Where } from "../cohort/condition";
import type { CubeMessage } from "../kernel/protocol";
import type { Axis } from "./axis";
import { type Edge, readBins } from "./bins";
import { axisOf, edgesFor, hits } from "./cover";

export interface Sums {
  series: number;
  instances: number;
  bytes: number;
  collections: number;
}

export interface Result extends Sums {
  /**
   * Series for each value of an axis under all conditions but the axis's own; of a binned axis for each code among
   * its base edges.
   */
  counts: ReadonlyMap<string, Float64Array>;
}

interface Filter {
  axis: Axis;
  allowed: Uint8Array;
}

export class Cube {
  readonly axes: ReadonlyMap<string, Axis>;
  // By group and by cell: how many filters reject it, and one that does.
  readonly #failures: Uint8Array;
  readonly #blame: Uint8Array;
  readonly #cellFailures: Uint8Array;
  readonly #cellBlame: Uint8Array;
  /** Series of each group's cells that no bins reject. */
  readonly #sums: Float64Array;
  readonly #cells: Uint32Array;

  constructor(
    readonly outside: Where,
    axes: readonly Axis[],
    /** Where each group's cells begin; one more for the end. */
    readonly starts: Uint32Array,
    readonly series: Uint32Array,
    readonly instances: Uint32Array,
    readonly bytes: Float64Array,
  ) {
    const groups = starts.length - 1;
    const cells = series.length;
    this.axes = new Map(axes.map((a) => [a.name, a]));
    this.#failures = new Uint8Array(groups);
    this.#blame = new Uint8Array(groups);
    this.#sums = new Float64Array(groups);
    this.#cellFailures = new Uint8Array(cells);
    this.#cellBlame = new Uint8Array(cells);
    this.#cells = new Uint32Array(cells);
  }

  /** Unpacks what the kernel sent. */
  static async decode(message: CubeMessage): Promise<Cube> {
    return Cube.fromBuffer(message, await inflate(message.data));
  }

  static fromBuffer(message: Omit<CubeMessage, "data">, buffer: ArrayBuffer): Cube {
    const { groups, rows } = message;
    let at = 0;
    const column = <T>(make: (offset: number) => T, n: number, width: number): T => {
      const made = make(at);
      at += Math.ceil((n * width) / 8) * 8;
      return made;
    };
    const axes: Axis[] = message.dimensions.map((d) => ({
      name: d.name,
      values: d.values,
      total: d.total,
      index: new Map(d.values.map((v, i) => [v, i])),
      codes: column(
        (o) => (d.bits === 8 ? new Uint8Array(buffer, o, groups) : new Uint16Array(buffer, o, groups)), groups, d.bits / 8,
      ),
      sourceSize: d.values.length,
      members: null,
      bins: null,
    }));
    for (const d of message.derived) {
      const source = axes.find((a) => a.name === d.source);
      if (source) axes.push(derive(d, source));
    }
    const sizes = column((o) => new Uint32Array(buffer, o, groups), groups, 4);
    const starts = new Uint32Array(groups + 1);
    for (let g = 0; g < groups; g++) starts[g + 1] = starts[g]! + sizes[g]!;
    for (const b of message.bins) {
      const bins = readBins(b);
      axes.push({
        name: b.name,
        values: [],
        total: b.total,
        index: new Map(),
        codes: column((o) => new Uint8Array(buffer, o, rows), rows, 1),
        sourceSize: bins.edges.length + 3,
        members: null,
        bins,
      });
    }
    const series = column((o) => new Uint32Array(buffer, o, rows), rows, 4);
    const instances = column((o) => new Uint32Array(buffer, o, rows), rows, 4);
    const bytes = column((o) => new Float64Array(buffer, o, rows), rows, 8);
    return new Cube(message.outside, axes, starts, series, instances, bytes);
  }

  /** The conditions that only the kernel can apply, in their order. */
  outsideOf(where: Where): Condition[] {
    return where.filter((c) => axisOf(this.axes, c) === null);
  }

  /** The edges that the other conditions need, by column. */
  edgesFor(where: Where): Record<string, Edge[]> {
    return edgesFor(this.axes, where);
  }

  /** Whether all conditions but the outside ones can be answered by the edges that this cube has. */
  answers(where: Where): boolean {
    return where.every((c) => {
      const axis = axisOf(this.axes, c);
      return axis === null || hits(axis, c) !== null;
    });
  }

  /**
   * Sums and counts under `where` (its outside conditions are taken as applied already).
   *
   * Each group and each cell remembers how many columns reject it and one that does: what none rejects counts
   * everywhere, what exactly one rejects counts for that column's own facet. Categorical columns are looked at by
   * group, so only the bins cost a pass over all cells.
   */
  count(where: Where, wanted: Iterable<string> = this.axes.keys()): Result {
    const { starts, series } = this;
    const groups = starts.length - 1;
    const filters = this.#filters(where);
    const own = new Map(filters.map((f, k) => [f.axis, k]));
    const failures = this.#reject(filters, false, this.#failures, this.#blame);
    const cellFailures = this.#reject(filters, true, this.#cellFailures, this.#cellBlame);

    const sums = this.#sums;
    const cells = this.#cells;
    let passing = 0;
    let total = 0;
    let instances = 0;
    let bytes = 0;
    for (let g = 0; g < groups; g++) {
      let sum = 0;
      if (failures[g]! < 2) {
        const whole = failures[g] === 0;
        for (let i = starts[g]!, end = starts[g + 1]!; i < end; i++) {
          if (cellFailures[i] !== 0) continue;
          sum += series[i]!;
          if (!whole) continue;
          cells[passing++] = i;
          instances += this.instances[i]!;
          bytes += this.bytes[i]!;
        }
        if (whole) total += sum;
      }
      sums[g] = sum;
    }

    const counts = new Map<string, Float64Array>();
    for (const name of wanted) {
      const axis = this.axes.get(name);
      if (axis) counts.set(name, axis.bins ? this.#byBin(axis, passing, own.get(axis)) : spread(axis, this.#byGroup(axis, own.get(axis))));
    }
    const home = this.axes.get("collection_id");
    const collections = home ? this.#byGroup(home, undefined).reduce((n, v) => n + (v > 0 ? 1 : 0), 0) : 0;
    return { series: total, instances, bytes, collections, counts };
  }

  /** Counts for each group (or cell) the filters that reject it, and notes the last of them. */
  #reject(filters: readonly Filter[], binned: boolean, failures: Uint8Array, blame: Uint8Array): Uint8Array {
    failures.fill(0);
    filters.forEach(({ axis, allowed }, k) => {
      if ((axis.bins !== null) !== binned) return;
      const { codes } = axis;
      for (let i = 0; i < codes.length; i++) {
        if (allowed[codes[i]!] === 0) {
          failures[i]!++;
          blame[i] = k;
        }
      }
    });
    return failures;
  }

  #byGroup(axis: Axis, own: number | undefined): Float64Array {
    const { codes } = axis;
    const failures = this.#failures;
    const out = new Float64Array(axis.sourceSize);
    for (let g = 0; g < codes.length; g++) {
      if (failures[g] === 0 || (failures[g] === 1 && this.#blame[g] === own)) out[codes[g]!]! += this.#sums[g]!;
    }
    return out;
  }

  #byBin(axis: Axis, passing: number, own: number | undefined): Float64Array {
    const { codes } = axis;
    const { series, starts } = this;
    const out = new Float64Array(axis.sourceSize);
    for (let j = 0; j < passing; j++) {
      const i = this.#cells[j]!;
      out[codes[i]!]! += series[i]!;
    }
    if (own !== undefined) {
      for (let g = 0; g < starts.length - 1; g++) {
        if (this.#failures[g] !== 0) continue;
        for (let i = starts[g]!, end = starts[g + 1]!; i < end; i++) {
          if (this.#cellFailures[i] === 1 && this.#cellBlame[i] === own) out[codes[i]!]! += series[i]!;
        }
      }
    }
    const { shown, base } = axis.bins!;
    const merged = new Float64Array(base.length + 3);
    for (let code = 0; code < out.length; code++) merged[shown[code]!]! += out[code]!;
    return merged;
  }

  /** One filter a column: which source codes its conditions let through. */
  #filters(where: Where): Filter[] {
    const byColumn = new Map<Axis, Filter>();
    for (const c of where) {
      const axis = axisOf(this.axes, c);
      const hit = axis && hits(axis, c);
      if (!axis || !hit) continue;
      let filter = byColumn.get(axis);
      if (!filter) byColumn.set(axis, (filter = { axis, allowed: new Uint8Array(axis.sourceSize).fill(1) }));
      for (let s = 0; s < hit.length; s++) if (!hit[s]) filter.allowed[s] = 0;
    }
    return [...byColumn.values()];
  }
}

/** Source sums to value sums: a series counts for each term of its source value. */
function spread(axis: Axis, sums: Float64Array): Float64Array {
  if (!axis.members) return sums;
  const out = new Float64Array(axis.values.length);
  axis.members.forEach((terms, s) => {
    for (const t of terms) out[t]! += sums[s]!;
  });
  return out;
}

/** Source values without any term get the value null, so that "missing" can be chosen here as anywhere. */
function derive(d: CubeMessage["derived"][number], source: Axis): Axis {
  let { values, total, members } = d;
  if (members.some((terms) => terms.length === 0)) {
    let none = values.indexOf(null);
    if (none < 0) {
      none = values.length;
      values = [...values, null];
      total = [...total, members.reduce((n, terms, s) => n + (terms.length ? 0 : source.total[s]!), 0)];
    }
    members = members.map((terms) => (terms.length ? terms : [none]));
  }
  return {
    name: d.name,
    values,
    total,
    index: new Map(values.map((v, i) => [v, i])),
    codes: source.codes,
    sourceSize: source.values.length,
    members,
    bins: null,
  };
}

async function inflate(base64: string): Promise<ArrayBuffer> {
  const text = atob(base64);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}
