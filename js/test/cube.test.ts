import { describe, expect, it } from "vitest";
import { asList, type Condition, type Value } from "../src/cube/condition";
import { Cube } from "../src/cube/cube";
import type { CubeMessage } from "../src/link/protocol";

/** The same random numbers every time. */
function random(seed: number): () => number {
  let s = seed;
  return () => {
    s = (s * 1664525 + 1013904223) % 2 ** 32;
    return s / 2 ** 32;
  };
}

interface Data {
  message: CubeMessage;
  rows: { codes: number[]; series: number; instances: number; bytes: number }[];
}

const TERMS: number[][] = [[0], [0, 1], [], [2], [1, 2], [], [0]]; // of the 7 collections

async function deflate(chunks: BlobPart[]): Promise<string> {
  const stream = new Blob(chunks).stream().pipeThrough(new CompressionStream("deflate"));
  return btoa(String.fromCharCode(...new Uint8Array(await new Response(stream).arrayBuffer())));
}

async function make(seed: number, n: number): Promise<Data> {
  const r = random(seed);
  const pick = (k: number): number => Math.floor(r() * k);
  const values: Value[][] = [
    ["CT", "MR", "SEG", null],
    Array.from({ length: 7 }, (_, i) => `c${i}`),
    Array.from({ length: 400 }, (_, i) => (i === 3 ? null : i)), // 16 bits, numbers
  ];
  const rows = Array.from({ length: n }, () => ({
    codes: values.map((v) => pick(v.length)),
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
  bits.forEach((b, d) => {
    const codes = rows.map((row) => row.codes[d]!);
    add(b === 8 ? Uint8Array.from(codes) : Uint16Array.from(codes));
  });
  add(Uint32Array.from(rows.map((x) => x.series)));
  add(Uint32Array.from(rows.map((x) => x.instances)));
  add(Float64Array.from(rows.map((x) => x.bytes)));
  const names = ["Modality", "collection_id", "year"];
  const message: CubeMessage = {
    outside: [],
    rows: n,
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
function valuesOf({ message }: Data, row: Data["rows"][number], column: string): Value[] {
  if (column === "cancer") {
    const terms = TERMS[row.codes[1]!]!;
    return terms.length ? terms.map((t) => ["lung", "breast", "skin"][t]!) : [null];
  }
  const d = message.dimensions.findIndex((x) => x.name === column);
  return [message.dimensions[d]!.values[row.codes[d]!]!];
}

function naive(data: Data, where: readonly Condition[], column?: string) {
  const holds = (row: Data["rows"][number]): boolean =>
    where.every((c) => {
      const list = asList(c)!;
      if (list.column === column) return true; // a facet ignores its own conditions
      return valuesOf(data, row, list.column).some((v) => list.values.includes(v)) !== list.out;
    });
  return data.rows.filter(holds);
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
    const either: Condition = { op: "or", args: [isIn("Modality", "CT")] };
    const other = isIn("PatientID", "p");
    expect(cube.outsideOf([isIn("Modality", "CT"), search, not(isIn("cancer", "lung")), either, other])).toEqual([search, either, other]);
  });

  it("adds missing to a derived column only where a value has no term", async () => {
    const { message } = await make(2, 50);
    expect(Cube.fromBuffer(message, new ArrayBuffer(50 * 64)).axes.get("cancer")!.values).toContain(null);
    const full = { ...message, derived: [{ ...message.derived[0]!, members: TERMS.map(() => [0]) }] };
    expect(Cube.fromBuffer(full, new ArrayBuffer(50 * 64)).axes.get("cancer")!.values).not.toContain(null);
  });
});
