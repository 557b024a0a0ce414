import { describe, expect, it } from "vitest";
import type { Condition, Value } from "../src/cohort/condition";
import { columnOf } from "../src/cube/cover";
import { Cube } from "../src/cube/cube";
import type { CubeMessage } from "../src/kernel/protocol";

/** The same random numbers every time. */
function random(seed: number): () => number {
  let s = seed;
  return () => {
    s = (s * 1664525 + 1013904223) % 2 ** 32;
    return s / 2 ** 32;
  };
}

interface Row {
  codes: number[];
  /** What the binned columns hold; "?" has no place on the scale. */
  held: Record<string, Value>;
  series: number;
  instances: number;
  bytes: number;
}

interface Data {
  message: CubeMessage;
  rows: Row[];
}

type Extra = Record<string, [string | number, 0 | 1][]>;

const BINS = [
  { name: "StudyDate", kind: "date" as const, edges: ["1990", "2000", "2001"] },
  { name: "PatientAge", kind: "number" as const, edges: [5, 10, 50] },
  { name: "instanceCount", kind: "integer" as const, edges: [2, 10] },
];
const HELD: Record<string, Value[]> = {
  StudyDate: [null, "1888-01-02", "1990-01-01", "1999-12-31", "2000-06-15", "2001-01-01", "2015-03-04"],
  PatientAge: [null, "?", 0, 0.5, 4.99, 5, 7.25, 9, 10, 49, 50, 90],
  instanceCount: [1, 2, 3, 9, 10, 11, 400],
};

/** What the kernel does: edges at or below a value, then missing, then implausible. */
function codeOf(bin: (typeof BINS)[number], extra: Extra, value: Value): number {
  const edges = [...bin.edges.map((e): [string | number, 0 | 1] => [e, 0]), ...(extra[bin.name] ?? [])];
  if (value === null) return edges.length + 1;
  if (value === "?") return edges.length + 2;
  return edges.filter(([e, side]) => (side ? value > e : value >= e)).length;
}

const TERMS: number[][] = [[0], [0, 1], [], [2], [1, 2], [], [0]]; // of the 7 collections

async function deflate(chunks: BlobPart[]): Promise<string> {
  const stream = new Blob(chunks).stream().pipeThrough(new CompressionStream("deflate"));
  return btoa(String.fromCharCode(...new Uint8Array(await new Response(stream).arrayBuffer())));
}

async function make(seed: number, n: number, extra: Extra = {}): Promise<Data> {
  const r = random(seed);
  const pick = (k: number): number => Math.floor(r() * k);
  const values: Value[][] = [
    ["CT", "MR", "SEG", null],
    Array.from({ length: 7 }, (_, i) => `c${i}`),
    Array.from({ length: 400 }, (_, i) => (i === 3 ? null : i)), // 16 bits, numbers
  ];
  const rows = Array.from({ length: n }, () => ({
    codes: values.map((v) => pick(v === values[2] ? 40 : v.length)),
    held: Object.fromEntries(BINS.map((b) => [b.name, HELD[b.name]![pick(HELD[b.name]!.length)]!])),
    series: 1 + pick(5000),
    instances: pick(4_000_000),
    bytes: Math.floor(r() * 2 ** 46),
  }));
  const bits = [8, 8, 16] as const;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const add = (a: Uint8Array | Uint16Array | Uint32Array | Float64Array): void => {
    const padded = new Uint8Array(Math.ceil(a.byteLength / 8) * 8);
    padded.set(new Uint8Array(a.buffer));
    chunks.push(padded);
  };
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.codes.join(), [...(groups.get(row.codes.join()) ?? []), row]);
  const cells = [...groups.values()].flat();
  bits.forEach((b, d) => {
    const codes = [...groups.values()].map((g) => g[0]!.codes[d]!);
    add(b === 8 ? Uint8Array.from(codes) : Uint16Array.from(codes));
  });
  add(Uint32Array.from([...groups.values()].map((g) => g.length)));
  for (const bin of BINS) add(Uint8Array.from(cells.map((c) => codeOf(bin, extra, c.held[bin.name]!))));
  add(Uint32Array.from(cells.map((x) => x.series)));
  add(Uint32Array.from(cells.map((x) => x.instances)));
  add(Float64Array.from(cells.map((x) => x.bytes)));
  const names = ["Modality", "collection_id", "year"];
  const message: CubeMessage = {
    outside: [],
    groups: groups.size,
    rows: n,
    bins: BINS.map((b) => ({ ...b, extra: extra[b.name] ?? [], total: Array.from({ length: b.edges.length + 3 }, () => 0) })),
    dimensions: names.map((name, d) => ({
      name,
      values: values[d]!,
      total: values[d]!.map((_, c) => rows.reduce((t, x) => t + (x.codes[d] === c ? x.series : 0), 0)),
      bits: bits[d]!,
    })),
    derived: [{ name: "cancer", source: "collection_id", values: ["lung", "breast", "skin"], total: [1, 1, 1], members: TERMS }],
    data: await deflate(chunks),
  };
  return { message, rows };
}

/** The values a row has in a column, as a person would say. */
function valuesOf({ message }: Data, row: Row, column: string): Value[] {
  if (column === "cancer") {
    const terms = TERMS[row.codes[1]!]!;
    return terms.length ? terms.map((t) => ["lung", "breast", "skin"][t]!) : [null];
  }
  const d = message.dimensions.findIndex((x) => x.name === column);
  return [message.dimensions[d]!.values[row.codes[d]!]!];
}

/** Whether a condition holds for a row, as its words say. */
function holds(data: Data, row: Row, c: Condition): boolean {
  switch (c.op) {
    case "not":
      return !holds(data, row, c.arg);
    case "and":
      return c.args.every((a) => holds(data, row, a));
    case "or":
      return c.args.some((a) => holds(data, row, a));
    case "in": {
      const has = c.column in row.held ? [row.held[c.column]!] : valuesOf(data, row, c.column);
      return has.some((v) => c.values.includes(v));
    }
    case "implausible":
      return row.held[c.column] === "?";
    case "between":
    case "compare": {
      const value = row.held[c.column]!;
      if (value === null || value === "?") return false;
      const text = typeof value === "string";
      const end = (v: Value): string | number => (text ? `${v}~` : (v as number));
      const start = (v: Value): string | number => (text ? String(v) : (v as number));
      if (c.op === "compare") return c.than === "<" ? value < start(c.value) : value > end(c.value);
      return (c.low === null || value >= start(c.low)) && (c.high === null || value <= end(c.high));
    }
    default:
      throw new Error(c.op);
  }
}

function naive(data: Data, where: readonly Condition[], column?: string) {
  return data.rows.filter((row) => where.every((c) => columnOf(c) === column || holds(data, row, c)));
}

const isIn = (column: string, ...values: Value[]): Condition => ({ op: "in", column, values });
const not = (arg: Condition): Condition => ({ op: "not", arg });

const CASES: [string, Condition[]][] = [
  ["nothing", []],
  ["include", [isIn("Modality", "CT", "MR")]],
  ["missing", [isIn("Modality", null)]],
  ["exclude keeps missing", [not(isIn("Modality", "CT"))]],
  ["exclude missing", [not(isIn("Modality", null, "SEG"))]],
  ["numbers are not texts", [isIn("year", 1, 2, 5, 399)]],
  ["a text that looks like a number", [isIn("year", "1")]],
  ["missing number", [isIn("year", null)]],
  ["no values match nothing", [isIn("Modality")]],
  ["unknown value", [isIn("Modality", "XX")]],
  ["derived", [isIn("cancer", "lung")]],
  ["derived, several", [isIn("cancer", "breast", "skin")]],
  ["derived missing", [isIn("cancer", null)]],
  ["derived excluded", [not(isIn("cancer", "lung"))]],
  ["derived and its source", [isIn("cancer", "lung", "breast"), not(isIn("collection_id", "c1"))]],
  ["twice the same column", [isIn("Modality", "CT", "MR"), not(isIn("Modality", "MR"))]],
  ["all together", [isIn("Modality", "CT", null), not(isIn("year", 7)), isIn("cancer", "lung", null), isIn("collection_id", "c0", "c2", "c6")]],
];

const between = (column: string, low: Value, high: Value): Condition => ({ op: "between", column, low, high });
const or = (...args: Condition[]): Condition => ({ op: "or", args });

const BOUNDS: [string, Condition[], Extra][] = [
  ["years", [between("StudyDate", 1990, 1999)], {}],
  ["to the end of a year", [between("StudyDate", null, "2000")], {}],
  ["a day", [between("StudyDate", "2000-06-15", "2000-06-15")], { StudyDate: [["2000-06-15", 0], ["2000-06-15~", 0]] }],
  ["after a year", [{ op: "compare", column: "StudyDate", than: ">", value: 1999 }], {}],
  ["ages, half open", [between("PatientAge", 5, null), { op: "compare", column: "PatientAge", than: "<", value: 10 }], {}],
  ["ages, both ends in", [between("PatientAge", 5, 10)], { PatientAge: [[10, 1]] }],
  ["an age between edges", [between("PatientAge", 7.25, 49)], { PatientAge: [[7.25, 0], [49, 1]] }],
  ["above an age", [{ op: "compare", column: "PatientAge", than: ">", value: 50 }], { PatientAge: [[50, 1]] }],
  ["no age", [isIn("PatientAge", null)], {}],
  ["an age", [not(isIn("PatientAge", null))], {}],
  ["implausible", [{ op: "implausible", column: "PatientAge" }], {}],
  ["young or unknown", [or(between("PatientAge", null, 4.99), isIn("PatientAge", null))], { PatientAge: [[4.99, 1]] }],
  ["not old", [not(between("PatientAge", 50, null))], {}],
  ["nothing", [isIn("PatientAge")], {}],
  ["counts", [between("instanceCount", 2, 9)], {}],
  ["counts, no whole numbers", [between("instanceCount", 1.5, 9.5)], {}],
  ["counts between edges", [between("instanceCount", 3, 400)], { instanceCount: [[3, 0], [401, 0]] }],
  ["several", [between("instanceCount", null, 9), between("StudyDate", 2000, null), isIn("Modality", "CT", null), or(isIn("cancer", "lung"), not(isIn("cancer", "skin")))], {}],
  ["bins twice", [between("PatientAge", 5, null), not(isIn("PatientAge", null)), isIn("Modality", "MR"), between("instanceCount", null, 1)], {}],
];

describe("cube with bins", () => {
  for (const n of [0, 1, 30, 3000]) {
    for (const [name, where, extra] of BOUNDS) {
      it(`${name}, ${n} rows`, async () => {
        const data = await make(n + 3, n, extra);
        const cube = await Cube.decode(data.message);
        expect(cube.outsideOf(where)).toEqual([]);
        expect(cube.answers(where)).toBe(true);
        const result = cube.count(where);
        const passing = naive(data, where);
        const sum = (key: "series" | "instances" | "bytes"): number => passing.reduce((t, x) => t + x[key], 0);
        expect([result.series, result.instances, result.bytes]).toEqual([sum("series"), sum("instances"), sum("bytes")]);
        for (const bin of BINS) {
          const rows = naive(data, where, bin.name);
          const want = Array.from({ length: bin.edges.length + 3 }, () => 0);
          for (const row of rows) want[codeOf(bin, {}, row.held[bin.name]!)]! += row.series;
          expect([...result.counts.get(bin.name)!], bin.name).toEqual(want);
        }
        const modality = naive(data, where, "Modality");
        expect([...result.counts.get("Modality")!]).toEqual(
          [0, 1, 2, 3].map((i) => modality.reduce((t, x) => t + (x.codes[0] === i ? x.series : 0), 0)),
        );
      });
    }
  }

  it("asks for the edges that it lacks, and says that it cannot answer", async () => {
    for (const [, where, extra] of BOUNDS) {
      const bare = await Cube.decode((await make(1, 50)).message);
      const lacking = Object.keys(extra).length > 0;
      expect(bare.answers(where), JSON.stringify(where)).toBe(!lacking);
      const asked = bare.edgesFor(where);
      const more: Extra = {};
      for (const [column, edges] of Object.entries(asked)) {
        const base: readonly (string | number)[] = BINS.find((b) => b.name === column)!.edges;
        const found = edges.filter(([v, side]) => side === 1 || !base.includes(v)).map(([v, s]): [string | number, 0 | 1] => [v, s]);
        if (found.length) more[column] = found;
      }
      expect(more).toEqual(extra);
    }
  });

  it("leaves to the kernel what is no bound of the column", async () => {
    const cube = await Cube.decode((await make(1, 10)).message);
    const no: Condition[] = [between("PatientAge", "old", null), isIn("PatientAge", "066Y"), or(isIn("Modality", "CT"), isIn("cancer", "lung")), or()];
    expect(cube.outsideOf(no)).toEqual(no);
  });
});

describe("cube", () => {
  for (const n of [0, 1, 7, 2000]) {
    for (const [name, where] of CASES) {
      it(`${name}, ${n} rows`, async () => {
        const data = await make(n + 11, n);
        const cube = await Cube.decode(data.message);
        const result = cube.count(where);
        const passing = naive(data, where);
        const sum = (key: "series" | "instances" | "bytes"): number => passing.reduce((t, x) => t + x[key], 0);
        expect(result.series).toBe(sum("series"));
        expect(result.instances).toBe(sum("instances"));
        expect(result.bytes).toBe(sum("bytes"));
        expect(result.collections).toBe(new Set(passing.map((x) => x.codes[1])).size);
        for (const [column, axis] of cube.axes) {
          if (axis.bins) continue;
          const rows = naive(data, where, column);
          const want = axis.values.map((v) => rows.reduce((t, x) => t + (valuesOf(data, x, column).includes(v) ? x.series : 0), 0));
          expect([...result.counts.get(column)!], column).toEqual(want);
        }
      });
    }
  }

  it("counts again from scratch at every call", async () => {
    const data = await make(5, 500);
    const cube = await Cube.decode(data.message);
    const before = cube.count([]).series;
    cube.count([isIn("Modality", "CT"), isIn("cancer", "skin")]);
    expect(cube.count([]).series).toBe(before);
  });

  it("knows which conditions are for the kernel", async () => {
    const cube = await Cube.decode((await make(1, 10)).message);
    const search: Condition = { op: "search", text: "liver" };
    const either: Condition = { op: "or", args: [isIn("Modality", "CT"), search] };
    const other = isIn("PatientID", "p");
    expect(cube.outsideOf([isIn("Modality", "CT"), search, not(isIn("cancer", "lung")), either, other])).toEqual([search, either, other]);
  });

  it("adds missing to a derived column only where a value has no term", async () => {
    const { message } = await make(2, 50);
    expect(Cube.fromBuffer({ ...message, groups: 0, rows: 0 }, new ArrayBuffer(0)).axes.get("cancer")!.values).toContain(null);
    const full = { ...message, derived: [{ ...message.derived[0]!, members: TERMS.map(() => [0]) }] };
    expect(Cube.fromBuffer({ ...full, groups: 0, rows: 0 }, new ArrayBuffer(0)).axes.get("cancer")!.values).not.toContain(null);
  });
});
