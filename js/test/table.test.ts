import { describe, expect, it } from "vitest";
import type { Column } from "../src/kernel/protocol";
import { fit, least, TICK_WIDTH } from "../src/table/columns";
import { move, nextSort } from "../src/table/keys";
import { MAX_HEIGHT, Scroller } from "../src/ui/scroller";

const ALL = 1_044_191;
const H = 30;

function scroller(rows: number, view = 600): Scroller {
  const s = new Scroller(H);
  s.resize(rows, view);
  return s;
}

describe("scroller", () => {
  it("reaches the first and the very last row of the whole index", () => {
    const s = scroller(ALL);
    expect(s.height).toBe(MAX_HEIGHT);
    expect(s.range()[0]).toBe(0);
    s.scrolled(s.height - s.view);
    expect(s.range()[1]).toBe(ALL);
    expect(s.top + s.view).toBe(ALL * H);
    s.scrolled(0);
    expect(s.range()[0]).toBe(0);
  });

  it("is the identity below the limit", () => {
    const s = scroller(1000);
    s.scrolled(3000);
    expect(s.top).toBe(3000);
    expect(s.bar).toBe(3000);
    expect(s.range()).toEqual([100, 120]);
  });

  it("goes by the bar when dragged, and every part can be reached", () => {
    const s = scroller(ALL);
    for (const part of [0.1, 0.25, 0.5, 0.9]) {
      s.moveTo(0);
      s.placed();
      expect(s.scrolled(part * (s.height - s.view))).toBe(true);
      expect(s.top / s.maxTop).toBeCloseTo(part, 5);
    }
  });

  it("moves a natural distance by wheel, key or finger, whatever the scale", () => {
    const s = scroller(ALL);
    s.moveTo(500_000 * H);
    const before = s.top;
    s.moveBy(100);
    expect(s.top).toBe(before + 100);
    s.placed();
    const bar = s.bar;
    expect(s.scrolled(bar + 60)).toBe(false);
    expect(s.top).toBeCloseTo(before + 160, 6);
  });

  it("ignores the rounding of scrollTop", () => {
    const s = scroller(ALL);
    s.moveTo(123_456 * H + 7);
    const top = s.top;
    s.placed();
    s.scrolled(Math.round(s.bar));
    expect(s.top).toBe(top);
  });

  it("wheels from the first to the last row without a gap", () => {
    const s = scroller(2_000_000 / 4);
    s.moveTo(s.maxTop - 5000);
    let last = s.range()[1];
    for (let i = 0; i < 100; i++) {
      s.moveBy(120);
      const [first, end] = s.range();
      expect(first).toBeLessThanOrEqual(last);
      last = end;
    }
    expect(last).toBe(s.rows);
  });

  it("keeps its place when resized, and stays within when rows become fewer", () => {
    const s = scroller(ALL);
    s.moveTo(9000 * H);
    s.resize(ALL, 300);
    expect(s.range()).toEqual([9000, 9010]);
    s.resize(50, 300);
    expect(s.range()).toEqual([40, 50]);
    s.resize(3, 300);
    expect(s.range()).toEqual([0, 3]);
    s.resize(0, 300);
    expect(s.range()).toEqual([0, 0]);
    expect(s.bar).toBe(0);
  });

  it("reveals a row by the shortest way", () => {
    const s = scroller(ALL);
    s.reveal(ALL - 1);
    expect(s.range()[1]).toBe(ALL);
    s.reveal(5);
    expect(s.range()[0]).toBe(5);
    const top = s.top;
    s.reveal(10);
    expect(s.top).toBe(top);
  });
});

describe("keys", () => {
  const size = { rows: ALL, columns: 10, page: 20 };
  const at = { row: 100, column: 3 };
  it.each([
    ["ArrowDown", false, 101, 3], ["ArrowUp", false, 99, 3], ["ArrowRight", false, 100, 4], ["ArrowLeft", false, 100, 2],
    ["PageDown", false, 120, 3], ["PageUp", false, 80, 3], ["Home", false, 100, 0], ["End", false, 100, 9],
    ["Home", true, 0, 0], ["End", true, ALL - 1, 9], ["ArrowDown", true, ALL - 1, 3], ["ArrowUp", true, 0, 3],
  ] as const)("%s (ctrl %s)", (key, ctrl, row, column) => {
    expect(move(key, ctrl, at, size)).toEqual({ row, column });
  });
  it("stops at the edges and leaves other keys alone", () => {
    expect(move("PageDown", false, { row: ALL - 3, column: 9 }, size)).toEqual({ row: ALL - 1, column: 9 });
    expect(move("ArrowLeft", false, { row: 0, column: 0 }, size)).toEqual({ row: 0, column: 0 });
    expect(move("x", false, at, size)).toBeNull();
  });
});

describe("sorting", () => {
  it("goes ascending, descending, none", () => {
    const a = nextSort([], "x", false);
    const b = nextSort(a, "x", false);
    expect(a).toEqual([{ column: "x", descending: false }]);
    expect(b).toEqual([{ column: "x", descending: true }]);
    expect(nextSort(b, "x", false)).toEqual([]);
    expect(nextSort(b, "y", false)).toEqual([{ column: "y", descending: false }]);
  });
  it("adds with shift", () => {
    const two = nextSort([{ column: "x", descending: true }], "y", true);
    expect(two).toEqual([{ column: "x", descending: true }, { column: "y", descending: false }]);
    expect(nextSort(two, "x", true)).toEqual([{ column: "y", descending: false }]);
  });
});

describe("column widths", () => {
  const columns: Column[] = [
    { name: "collection_id", label: "Collection", type: "text" },
    { name: "PatientID", label: "Patient", type: "text" },
    { name: "StudyDate", label: "Study date", type: "date" },
    { name: "Modality", label: "Modality", type: "text" },
    { name: "BodyPartExamined", label: "Body part", type: "text" },
    { name: "SeriesDescription", label: "Series description", type: "text" },
    { name: "instanceCount", label: "Images", type: "integer" },
    { name: "series_size_MB", label: "Size", type: "bytes" },
    { name: "license_short_name", label: "Licence", type: "text" },
  ];
  const sum = (w: number[]): number => w.reduce((a, b) => a + b, TICK_WIDTH);
  it.each([900, 921, 1000, 1400, 2000])("fill %i pixels with no header cut", (width) => {
    const w = fit(columns, width);
    expect(sum(w)).toBeLessThanOrEqual(width);
    expect(sum(w)).toBeGreaterThan(width - columns.length - 1);
    w.forEach((x, i) => expect(x).toBeGreaterThanOrEqual(least(columns[i]!)));
  });
  it("of collections let their cancer types be read beside the names", () => {
    const texts = [["collection_id", "Collection"], ["collection_name", "Name"], ["cancer_types", "Cancer type"], ["Modality", "Modality"], ["license_short_name", "Licence"]];
    const groups: Column[] = texts.map(([name, label]) => ({ name: name!, label: label!, type: "text" }));
    groups.splice(3, 0, { name: "patients", label: "Patients", type: "integer" }, { name: "series", label: "Series", type: "integer" });
    groups.splice(6, 0, { name: "series_size_MB", label: "Size", type: "bytes" });
    const w = fit(groups, 739); // a table in JupyterLab at 1200 pixels
    expect(sum(w)).toBeLessThanOrEqual(739);
    expect(w[2]).toBeGreaterThan(110);
  });
  it("scroll sideways rather than squeeze when narrow", () => {
    expect(sum(fit(columns, 400))).toBeGreaterThan(400);
    expect(fit(columns, 400)).toEqual(fit(columns, 500));
  });
});
