import { describe, expect, it } from "vitest";
import { type Condition, holds, marks, same, toggle, togglePreset, type Value, withSearch } from "../src/cohort/condition";
import { displayOrder, families, ranksOf, together } from "../src/cube/order";

const isIn = (column: string, ...values: Value[]): Condition => ({ op: "in", column, values });
const not = (arg: Condition): Condition => ({ op: "not", arg });

describe("toggle", () => {
  it("adds, widens and takes back", () => {
    const one = toggle([], "Modality", "CT");
    expect(one).toEqual([isIn("Modality", "CT")]);
    const two = toggle(one, "Modality", "MR");
    expect(two).toEqual([isIn("Modality", "CT", "MR")]);
    expect(toggle(toggle(two, "Modality", "CT"), "Modality", "MR")).toEqual([]);
  });

  it("treats missing as a value and numbers as numbers", () => {
    expect(toggle(toggle([], "v", null), "v", 3)).toEqual([isIn("v", null, 3)]);
    expect(toggle([isIn("v", 3)], "v", "3")).toEqual([isIn("v", 3, "3")]);
  });

  it("never both includes and excludes a value", () => {
    const out = toggle([isIn("c", "a", "b")], "c", "a", true);
    expect(out).toEqual([isIn("c", "b"), not(isIn("c", "a"))]);
    expect(toggle(out, "c", "a")).toEqual([isIn("c", "b")]);
    expect(toggle(out, "c", "a", true)).toEqual([isIn("c", "b")]);
  });

  it("leaves other conditions and its argument alone", () => {
    const where: Condition[] = [{ op: "search", text: "x" }, isIn("c", "a")];
    const copy = structuredClone(where);
    expect(toggle(where, "c", "a")).toEqual([{ op: "search", text: "x" }]);
    expect(where).toEqual(copy);
  });

  it("unticks a value that stands in two lists at once", () => {
    expect(toggle([isIn("c", "a", "b"), isIn("c", "a")], "c", "a")).toEqual([isIn("c", "b")]);
  });
});

describe("presets", () => {
  const preset = [isIn("analysis_result_id", null), isIn("x", 1)];
  it("switch on and off whole", () => {
    const on = togglePreset([isIn("c", "a")], preset);
    expect(holds(on, preset)).toBe(true);
    expect(togglePreset(on, preset)).toEqual([isIn("c", "a")]);
    expect(togglePreset([preset[1]!], preset)).toEqual(preset);
  });
  it("are known whatever the order of the keys", () => {
    expect(holds(JSON.parse('[{"values":[1],"column":"x","op":"in"}]') as Condition[], [isIn("x", 1)])).toBe(true);
    expect(same({ a: 1, b: [1, 2] }, { b: [2, 1], a: 1 })).toBe(false);
  });
});

it("search is one condition that keeps its place", () => {
  const a = withSearch([isIn("c", "a")], " liver  t2 ");
  expect(a).toEqual([isIn("c", "a"), { op: "search", text: "liver  t2" }]);
  expect(withSearch([...a, isIn("d", 1)], "lung")).toEqual([isIn("c", "a"), { op: "search", text: "lung" }, isIn("d", 1)]);
  expect(withSearch(a, "  ")).toEqual([isIn("c", "a")]);
});

it("marks collects included and excluded values", () => {
  const m = marks([isIn("c", "a"), not(isIn("c", "b", null)), isIn("d", "x")], "c");
  expect([...m.included]).toEqual(["a"]);
  expect([...m.excluded]).toEqual(["b", null]);
});

it("display order: values that no series has any more keep their places", () => {
  const values: Value[] = ["a", "b", "c", null, "d"];
  const total = [1, 30, 20, 25, 20];
  const order = (counts: number[]): Value[] => [...displayOrder(counts, ranksOf(values, total), new Set())].map((c) => values[c]!);
  expect(order(total)).toEqual(["b", null, "c", "d", "a"]);
  expect(order([0, 0, 0, 0, 0])).toEqual(order(total));
  expect(order([0, 0, 2, 0, 0])).toEqual(["c", "b", null, "d", "a"]);
});

it("display order: marked first, then by count, ties by name, missing as any other", () => {
  const values: Value[] = ["b10", "b2", null, "Z", "a", "zero"];
  const counts = [5, 5, 9, 1, 1, 0];
  const order = displayOrder(counts, ranksOf(values), new Set([3]));
  expect([...order].map((c) => values[c])).toEqual(["Z", null, "b2", "b10", "a", "zero"]);
});

it("display order holds for large counts and many values", () => {
  const n = 2000;
  const values = Array.from({ length: n }, (_, i) => `v${String(i).padStart(4, "0")}`);
  const counts = values.map((_, i) => (i * 7919) % 1_044_191);
  const order = [...displayOrder(counts, ranksOf(values), new Set())];
  const want = values.map((_, i) => i).sort((a, b) => counts[b]! - counts[a]! || a - b);
  expect(order).toEqual(want);
});

it("values that differ in letter case alone stand together, those without series stay away", () => {
  const values = ["PHANTOM", "CHEST", "Phantom", "phantom", null];
  const counts = [50, 40, 3, 0, 20];
  const order = together(displayOrder(counts, ranksOf(values), new Set()), families(values), counts);
  expect([...order].map((c) => values[c])).toEqual(["PHANTOM", "Phantom", "CHEST", null, "phantom"]);
  expect([...together(displayOrder([0, 1, 9, 0, 0], ranksOf(values), new Set([0])), families(values), [0, 1, 9, 0, 0])].sort()).toEqual([0, 1, 2, 3, 4]);
});
