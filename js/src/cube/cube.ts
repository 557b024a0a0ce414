// The facet cube: every distinct combination of the categorical columns with its counts, and exact sums over it.

import { asList, type Condition, type Value, type Where } from "./condition";
import type { CubeMessage } from "../link/protocol";

/** One column that can be filtered and counted: a dimension, or one derived from a dimension's values. */
export interface Axis {
  name: string;
  values: readonly Value[];
  /** Series in the whole catalogue, for each value. */
  total: readonly number[];
  index: ReadonlyMap<Value, number>;
  /** Codes of the dimension this axis reads. */
  codes: Uint8Array | Uint16Array;
  sourceSize: number;
  /** For a derived axis: which of `values` each source code has. */
  members: readonly (readonly number[])[] | null;
}

export interface Sums {
  series: number;
  instances: number;
  bytes: number;
  collections: number;
}

export interface Result extends Sums {
  /** Series for each value of an axis under all conditions but the axis's own. */
  counts: ReadonlyMap<string, Float64Array>;
}

export class Cube {
  readonly axes: ReadonlyMap<string, Axis>;
  readonly #failures: Uint8Array;
  readonly #blame: Uint8Array;
  readonly #rows: Uint32Array;

  constructor(
    readonly outside: Where,
    readonly size: number,
    axes: Axis[],
    readonly series: Uint32Array,
    readonly instances: Uint32Array,
    readonly bytes: Float64Array,
  ) {
    this.axes = new Map(axes.map((a) => [a.name, a]));
    this.#failures = new Uint8Array(size);
    this.#blame = new Uint8Array(size);
    this.#rows = new Uint32Array(size);
  }

  /** Unpacks what the kernel sent. */
  static async decode(message: CubeMessage): Promise<Cube> {
    return Cube.fromBuffer(message, await inflate(message.data));
  }

  static fromBuffer(message: Omit<CubeMessage, "data">, buffer: ArrayBuffer): Cube {
    const n = message.rows;
    let at = 0;
    const column = <T>(make: (offset: number) => T, width: number): T => {
      const made = make(at);
      at += Math.ceil((n * width) / 8) * 8;
      return made;
    };
    const axes: Axis[] = message.dimensions.map((d) => ({
      name: d.name,
      values: d.values,
      total: d.total,
      index: new Map(d.values.map((v, i) => [v, i])),
      codes: column((o) => (d.bits === 8 ? new Uint8Array(buffer, o, n) : new Uint16Array(buffer, o, n)), d.bits / 8),
      sourceSize: d.values.length,
      members: null,
    }));
    for (const d of message.derived) {
      const source = axes.find((a) => a.name === d.source);
      if (source) axes.push(derive(d, source));
    }
    const series = column((o) => new Uint32Array(buffer, o, n), 4);
    const instances = column((o) => new Uint32Array(buffer, o, n), 4);
    const bytes = column((o) => new Float64Array(buffer, o, n), 8);
    return new Cube(message.outside, n, axes, series, instances, bytes);
  }

  /** Whether the cube can answer this condition by itself. */
  covers(c: Condition): boolean {
    const list = asList(c);
    return list !== null && this.axes.has(list.column);
  }

  /** The conditions that only the kernel can apply, in their order. */
  outsideOf(where: Where): Condition[] {
    return where.filter((c) => !this.covers(c));
  }

  /**
   * Sums and counts under `where` (its outside conditions are taken as applied already).
   *
   * Each row remembers how many columns reject it and one that does: rows that none rejects count everywhere, rows
   * that exactly one rejects count for that column's own facet.
   */
  count(where: Where, wanted: Iterable<string> = this.axes.keys()): Result {
    const { size, series } = this;
    const failures = this.#failures.fill(0);
    const blame = this.#blame;
    const filters = this.#filters(where);
    filters.forEach(({ axis, allowed }, k) => {
      const codes = axis.codes;
      for (let i = 0; i < size; i++) {
        if (allowed[codes[i]!] === 0) {
          failures[i]!++;
          blame[i] = k;
        }
      }
    });

    const rows = this.#rows;
    let passing = 0;
    let count = 0;
    let instances = 0;
    let bytes = 0;
    for (let i = 0; i < size; i++) {
      if (failures[i] === 0) {
        rows[passing++] = i;
        count += series[i]!;
        instances += this.instances[i]!;
        bytes += this.bytes[i]!;
      }
    }

    const counts = new Map<string, Float64Array>();
    for (const name of wanted) {
      const axis = this.axes.get(name);
      if (!axis) continue;
      const sums = this.#sum(axis, passing);
      const own = filters.findIndex((f) => f.axis === axis);
      if (own >= 0) {
        const codes = axis.codes;
        for (let i = 0; i < size; i++) {
          if (failures[i] === 1 && blame[i] === own) sums[codes[i]!]! += series[i]!;
        }
      }
      counts.set(name, spread(axis, sums));
    }
    const home = this.axes.get("collection_id");
    const collections = home ? this.#sum(home, passing).reduce((n, v) => n + (v > 0 ? 1 : 0), 0) : 0;
    return { series: count, instances, bytes, collections, counts };
  }

  #sum(axis: Axis, passing: number): Float64Array {
    const { codes } = axis;
    const { series } = this;
    const rows = this.#rows;
    const sums = new Float64Array(axis.sourceSize);
    for (let j = 0; j < passing; j++) {
      const i = rows[j]!;
      sums[codes[i]!]! += series[i]!;
    }
    return sums;
  }

  /** One filter a column: which source codes its conditions let through. */
  #filters(where: Where): { axis: Axis; allowed: Uint8Array }[] {
    const byColumn = new Map<string, { axis: Axis; allowed: Uint8Array }>();
    for (const c of where) {
      const list = asList(c);
      const axis = list && this.axes.get(list.column);
      if (!list || !axis) continue;
      let filter = byColumn.get(axis.name);
      if (!filter) {
        filter = { axis, allowed: new Uint8Array(axis.sourceSize).fill(1) };
        byColumn.set(axis.name, filter);
      }
      const hit = matching(axis, list.values);
      for (let s = 0; s < hit.length; s++) if ((hit[s] === 1) === list.out) filter.allowed[s] = 0;
    }
    return [...byColumn.values()];
  }
}

/** 1 for each source code that has any of the values. */
function matching(axis: Axis, values: readonly Value[]): Uint8Array {
  const hit = new Uint8Array(axis.sourceSize);
  const codes = new Set<number>();
  for (const v of values) {
    const code = axis.index.get(v);
    if (code !== undefined) codes.add(code);
  }
  if (axis.members) axis.members.forEach((terms, s) => (hit[s] = terms.some((t) => codes.has(t)) ? 1 : 0));
  else for (const code of codes) hit[code] = 1;
  return hit;
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
  };
}

async function inflate(base64: string): Promise<ArrayBuffer> {
  const text = atob(base64);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}
