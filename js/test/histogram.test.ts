import { describe, expect, it } from "vitest";
import type { Condition } from "../src/cohort/condition";
import { type Bins, readBins } from "../src/cube/bins";
import { boundsOf, NO_RANGE, readRange, spanOf, writeRange } from "../src/filters/range";
import { scaleOf } from "../src/filters/scale";
import { words } from "../src/filters/words";

const bins = (name: string, kind: Bins["kind"], edges: (string | number)[]): Bins =>
  readBins({ name, kind, edges, extra: [], total: [...edges.map(() => 5), 5, 1, 1] });
const AGE = bins("PatientAge", "number", [5, 10, 15, 20]);
const YEAR = bins("StudyDate", "date", ["1980", "1990", "1991", "1992"]);
const IMAGES = bins("instanceCount", "integer", [2, 3, 5, 10]);
const SIZE = bins("series_size_MB", "number", [0.01, 0.1, 1, 2, 5, 10, 1000]);
const ALL = [0, 4] as const;

const between = (column: string, low: string | number | null, high: string | number | null): Condition => ({ op: "between", column, low, high });
const below = (column: string, value: number): Condition => ({ op: "compare", column, than: "<", value });
const missing: Condition = { op: "in", column: "PatientAge", values: [null] };
const implausible: Condition = { op: "implausible", column: "PatientAge" };
const other: Condition = { op: "in", column: "Modality", values: ["CT"] };

describe("a range of a histogram", () => {
  const WRITTEN: [string, Partial<typeof NO_RANGE>, Condition[]][] = [
    ["nothing", {}, []],
    ["from ", { low: { value: 5, strict: false } }, [between("PatientAge", 5, null)]],
    ["half open", { low: { value: 5, strict: false }, high: { value: 20, strict: true } }, [between("PatientAge", 5, null), below("PatientAge", 20)]],
    ["both ends in", { low: { value: 5, strict: false }, high: { value: 20, strict: false } }, [between("PatientAge", 5, 20)]],
    ["missing alone", { missing: true }, [missing]],
    ["implausible alone", { implausible: true }, [implausible]],
    ["both apart", { missing: true, implausible: true }, [{ op: "or", args: [missing, implausible] }]],
    ["present", { present: true }, [{ op: "not", arg: missing }]],
    ["a range or missing", { low: { value: 5, strict: false }, missing: true }, [{ op: "or", args: [between("PatientAge", 5, null), missing] }]],
    ["half open or missing", { low: { value: 5, strict: false }, high: { value: 20, strict: true }, missing: true, implausible: true },
      [{ op: "or", args: [{ op: "and", args: [between("PatientAge", 5, null), below("PatientAge", 20)] }, missing, implausible] }]],
  ];
  it.each(WRITTEN)("%s is written and read back", (_, change, conditions) => {
    const range = { ...NO_RANGE, ...change };
    expect(writeRange([], "PatientAge", range)).toEqual(conditions);
    expect(readRange(conditions, "PatientAge")).toEqual(range);
    expect(readRange([other, ...conditions], "PatientAge")).toEqual(range);
  });

  it("takes the place of the column's conditions and leaves others alone", () => {
    const where = [between("PatientAge", 5, null), other, below("PatientAge", 9)];
    expect(writeRange(where, "PatientAge", { ...NO_RANGE, missing: true })).toEqual([missing, other]);
    expect(writeRange([other], "PatientAge", { ...NO_RANGE, missing: true })).toEqual([other, missing]);
    expect(where).toHaveLength(3);
  });

  it("does not pretend to show what a range cannot say", () => {
    for (const c of [
      { op: "not", arg: between("PatientAge", 5, 9) }, { op: "in", column: "PatientAge", values: ["066Y"] }, { op: "in", column: "PatientAge", values: [] },
      { op: "or", args: [between("PatientAge", 1, 2), between("PatientAge", 5, 6)] },
    ] as Condition[]) expect(readRange([c], "PatientAge"), JSON.stringify(c)).toBeNull();
    expect(readRange([between("PatientAge", 5, null), between("PatientAge", 6, null)], "PatientAge")).toBeNull();
  });

  it("has the bounds of the bins that were chosen", () => {
    const soft = (value: string | number) => ({ value, strict: false });
    expect(boundsOf(AGE, 1, 2, ALL)).toEqual({ low: soft(5), high: { value: 15, strict: true } });
    expect(boundsOf(AGE, 0, 2, ALL)).toEqual({ low: null, high: { value: 15, strict: true } });
    expect(boundsOf(AGE, 3, 4, ALL)).toEqual({ low: soft(15), high: null });
    expect(boundsOf(YEAR, 1, 1, ALL)).toEqual({ low: soft(1980), high: soft(1989) });
    expect(boundsOf(YEAR, 2, 3, ALL)).toEqual({ low: soft(1990), high: soft(1991) });
    expect(boundsOf(IMAGES, 2, 3, ALL)).toEqual({ low: soft(3), high: soft(9) });
  });

  it("lies where its bounds are", () => {
    for (const b of [AGE, YEAR, IMAGES]) {
      for (let from = 0; from <= 4; from++) {
        for (let to = from; to <= 4; to++) expect(spanOf(b, { ...NO_RANGE, ...boundsOf(b, from, to, ALL) }, ALL)).toEqual([from, to + 1]);
      }
    }
    expect(spanOf(AGE, { ...NO_RANGE, low: { value: 7.5, strict: false } }, ALL)).toEqual([1.5, 5]);
    const [from, to] = spanOf(YEAR, { ...NO_RANGE, low: { value: "1990-07-01", strict: false }, high: { value: "1991-06", strict: false } }, ALL);
    expect(from).toBeCloseTo(2.5, 1);
    expect(to).toBeCloseTo(3.5, 1);
    expect(spanOf(AGE, { ...NO_RANGE, low: { value: 500, strict: false } }, [0, 3])).toEqual([4, 4]);
  });
});

describe("a scale", () => {
  it("names its bins", () => {
    const name = (column: string, b: Bins): string[] => [0, 1, 2, 3, 4].map((i) => scaleOf(column, b).bin(b, i));
    expect(name("PatientAge", AGE)).toEqual(["0–4", "5–9", "10–14", "15–19", "20 and more"]);
    expect(name("StudyDate", YEAR)).toEqual(["before 1980", "1980s", "1990", "1991", "1992"]);
    expect(name("instanceCount", IMAGES)).toEqual(["1", "2", "3–4", "5–9", "10 and more"]);
    expect(name("series_size_MB", SIZE)).toEqual(["under 10 kB", "10–100 kB", "100 kB – 1 MB", "1–2 MB", "2–5 MB"]);
  });

  it("reads what people type, and nothing else", () => {
    const size = scaleOf("series_size_MB", SIZE);
    expect(["10", "10 MB", "1.5 GB", "1,500", "0.5k", "123 kB", "2TB", "12 b"].map((t) => size.read(t))).toEqual([10, 10, 1500, 1500, 0.0005, 0.123, 2e6, 0.000012]);
    expect(["ten", "-5", "5 XB", "1.2.3", "MB", "", "1e3"].map((t) => size.read(t))).toEqual(Array(7).fill(undefined));
    const date = scaleOf("StudyDate", YEAR);
    expect(["2010", "2010-6", "2010-06-15"].map((t) => date.read(t))).toEqual([2010, "2010-06", "2010-06-15"]);
    expect(["2010-13", "2010-02-30", "10", "June", ""].map((t) => date.read(t))).toEqual(Array(5).fill(undefined));
    expect(["20", "1,000", "2.5", "x"].map((t) => scaleOf("instanceCount", IMAGES).read(t))).toEqual([20, 1000, undefined, undefined]);
  });

  it("shows a bound so that it reads back as itself", () => {
    const size = scaleOf("series_size_MB", SIZE);
    for (const v of [10, 0.01, 12.5, 123.456789, 1500, 195185.123456, 0.001266]) expect(size.read(size.show(v)), size.show(v)).toBe(v);
    for (const v of [2, 9, 1234]) expect(scaleOf("instanceCount", IMAGES).read(scaleOf("instanceCount", IMAGES).show(v))).toBe(v);
  });
});

describe("in words", () => {
  it("a range reads as one thing", () => {
    const label = (): string => "Age";
    expect(words({ op: "or", args: [{ op: "and", args: [between("PatientAge", 5, null), below("PatientAge", 20)] }, missing] }, label)).toEqual({
      subject: "Age", rest: "from 5 and below 20 or missing", not: false,
    });
    expect(words(implausible, label)).toEqual({ subject: "Age", rest: "implausible", not: false });
  });
});
