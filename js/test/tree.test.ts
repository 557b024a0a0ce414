import { describe, expect, it } from "vitest";
import { Link } from "../src/kernel/link";
import type { Level } from "../src/kernel/protocol";
import { keys, nameOf, size } from "../src/state/levels";
import { Store } from "../src/state/store";
import { Marks } from "../src/table/marks";
import { Ticking } from "../src/table/ticking";
import { type Question, Tree } from "../src/table/tree";
import { FakeModel } from "./fake";

const EVIL = '<img src=x onerror="window.hit=1">';
const ALL = 1_044_191;
const rest = (ms = 5): Promise<void> => new Promise((r) => setTimeout(r, ms));

/** A kernel with three collections of `patients` patients, each with two studies of three series. */
function kernel(patients = 250) {
  const model = new FakeModel({});
  const totals: Record<Level, number> = { collection: 3, patient: patients, study: 2, series: 3 };
  model.answers.page = (m) => {
    const level = (m.level as Level) ?? "series";
    const offset = m.offset as number;
    const n = Math.max(0, Math.min(m.limit as number, totals[level] - offset));
    const columns = m.columns as string[];
    const value = (c: string, i: number): unknown =>
      c === "patients" ? patients : c === "studies" ? 2 : c === "series" ? 3 : `${level} ${c} ${offset + i}`;
    return { total: totals[level], rows: Array.from({ length: n }, (_, i) => [offset + i, ...columns.map((c) => value(c, i))]) };
  };
  model.answers.marks = (m) => (m.all ? { ticked: [1], of: 9 } : { ticked: (m.rows as number[]).map((r) => r % 4) });
  return model;
}

const question = (level: Level, change: Partial<Question> = {}): Question => ({
  level, where: [], sort: [], columns: ["Modality"], only: null, ...change,
});

async function made(level: Level, patients?: number) {
  const model = kernel(patients);
  const link = new Link(model);
  link.connect();
  const tree = new Tree(link);
  tree.ask(question(level));
  tree.want(0, 3, false);
  await rest();
  return { model, tree };
}

describe("the tree of rows", () => {
  it("puts what a row holds below it, at any depth, and takes it away again", async () => {
    const { model, tree } = await made("collection");
    expect(tree.length(3)).toBe(3);
    tree.toggle(tree.at(1));
    // Known at once from the parent's own count, before any page came.
    expect(tree.length(3)).toBe(3 + 250);
    tree.want(0, 60, false);
    await rest();
    expect(model.sent.at(-1)).toMatchObject({ op: "page", level: "patient" });
    tree.toggle(tree.at(2 + 120));
    tree.want(110, 140, false);
    await rest();
    expect(tree.length(3)).toBe(3 + 250 + 2);
    const levels = [0, 1, 2, 121, 122, 123, 124, 125, 252, 253, 254].map((i) => {
      const { node, index } = tree.at(i);
      return [node.level, index];
    });
    expect(levels).toEqual([
      ["collection", 0], ["collection", 1], ["patient", 0], ["patient", 119], ["patient", 120], ["study", 0], ["study", 1],
      ["patient", 121], ["patient", 248], ["patient", 249], ["collection", 2],
    ]);
    for (let i = 0; i < 255; i++) {
      const { node, index } = tree.at(i);
      expect(tree.position(node, index)).toBe(i);
    }
    tree.toggle(tree.at(1));
    expect(tree.length(3)).toBe(3);
    expect(tree.at(2).node.level).toBe("collection");
  });

  it("asks for children by what identifies their parents", async () => {
    const { model, tree } = await made("patient");
    tree.toggle(tree.at(0));
    tree.want(0, 3, false);
    await rest();
    const asked = model.sent.filter((m) => m.op === "page").at(-1)!;
    expect(asked.level).toBe("study");
    expect(asked.where).toEqual([
      { op: "in", column: "collection_id", values: ["patient collection_id 0"] },
      { op: "in", column: "PatientID", values: ["patient PatientID 0"] },
    ]);
  });

  it("folds everything when the question changes, and nothing when it does not", async () => {
    const { tree } = await made("collection");
    tree.toggle(tree.at(0));
    expect(tree.ask(question("collection"))).toBe(false);
    expect(tree.length(3)).toBe(253);
    expect(tree.ask(question("collection", { sort: [{ column: "series", descending: true }] }))).toBe(true);
    expect(tree.length(3)).toBe(3);
  });

  it("finds any of a million rows among unfolded ones", async () => {
    const { tree } = await made("collection", ALL);
    tree.toggle(tree.at(0));
    tree.toggle(tree.at(500_000)); // nothing is loaded there: it stays folded
    expect(tree.length(3)).toBe(ALL + 3);
    expect([tree.at(ALL).node.level, tree.at(ALL).index]).toEqual(["patient", ALL - 1]);
    expect([tree.at(ALL + 1).node.level, tree.at(ALL + 1).index]).toEqual(["collection", 1]);
  });
});

describe("levels", () => {
  const read = (fields: Record<string, string | number | null>) => (c: string) => fields[c];
  it("names rows by what people know them by", () => {
    expect(nameOf("study", read({ StudyDate: "2001-02-03", StudyDescription: "CHEST", StudyInstanceUID: "1.2" }))).toBe("2001-02-03 · CHEST");
    expect(nameOf("study", read({ StudyDate: null, StudyDescription: null, StudyInstanceUID: "1.2" }))).toBe("1.2");
    expect(nameOf("series", read({ Modality: "CT", SeriesDescription: null }))).toBe("CT");
    expect(nameOf("patient", read({ PatientID: EVIL }))).toBe(EVIL);
    expect(size("patient", read({ studies: 4 }))).toBe(4);
  });
  it("takes a patient as one of its collection", () => {
    expect(keys("patient", read({ collection_id: "a", PatientID: "1" })).length).toBe(2);
    expect(keys("study", read({ StudyInstanceUID: "1.2" }))).toEqual([{ op: "in", column: "StudyInstanceUID", values: ["1.2"] }]);
  });
});

describe("ticking", () => {
  async function ready(level: Level) {
    const model = kernel();
    const store = new Store(model);
    store.attach();
    const tree = new Tree(store.link);
    const marks = new Marks(store);
    const ticking = new Ticking(store, tree, marks);
    ticking.start();
    tree.ask(question(level));
    tree.want(0, 10, false);
    await rest();
    return { model, store, tree, marks, ticking };
  }

  it("ticks a series without the kernel, and shows it at once", async () => {
    const { model, store, tree, marks, ticking } = await ready("series");
    ticking.tick(tree.at(1), true);
    expect(store.ticks.value.plus).toEqual([1]);
    expect(marks.of(tree.at(1))).toBe(true);
    expect(marks.of(tree.at(0))).toBe(false);
    expect(model.sent.some((m) => m.op === "tick")).toBe(false);
    ticking.range(0, 2, false);
    expect(store.ticks.value.plus).toEqual([]);
  });

  it("asks the kernel for groups, one change after the other", async () => {
    const { model, store, tree, ticking } = await ready("patient");
    const seen: unknown[] = [];
    model.answers.tick = (m) => {
      seen.push(m.ticks);
      return { base: null, minus: [], plus: [...(m.ticks as { plus: number[] }).plus, (m.rows as number[])[0]! + 100] };
    };
    ticking.tick(tree.at(0), true);
    ticking.tick(tree.at(1), true);
    await rest();
    expect(store.ticks.value.plus).toEqual([100, 101]);
    expect(seen).toEqual([{ base: null, minus: [], plus: [] }, { base: null, minus: [], plus: [100] }]);
  });

  it("shows three states from what the kernel counts", async () => {
    const { store, tree, marks } = await ready("patient");
    store.setTicks({ base: null, minus: [], plus: [1] });
    marks.want([0, 1, 2, 3].map((i) => tree.at(i)));
    await rest();
    expect([0, 1, 2, 3].map((i) => marks.of(tree.at(i)))).toEqual([false, "mixed", "mixed", true]);
  });

  it("ticks all that match as a condition when nothing is ticked, and on top of what is", async () => {
    const { model, store, ticking } = await ready("series");
    ticking.toggleAll();
    expect(store.ticks.value).toEqual({ base: [], minus: [], plus: [] });
    expect(ticking.all.value).toBe(true);
    ticking.toggleAll();
    expect(store.ticks.value).toEqual({ base: null, minus: [], plus: [] });
    store.setTicks({ base: null, minus: [], plus: [7] });
    await rest();
    expect(ticking.all.value).toBe("mixed");
    model.answers.tick = () => ({ base: [], minus: [], plus: [] });
    ticking.toggleAll();
    await rest();
    expect(model.sent.find((m) => m.op === "tick")).toMatchObject({ all: true, on: true, ticks: { plus: [7] } });
  });

  it("says in words why a range is refused", async () => {
    const { model, ticking } = await ready("patient");
    ticking.range(0, 5, true);
    await rest();
    const at = model.sent.findIndex((m) => m.op === "tick");
    expect(model.sent[at]).toMatchObject({ from: 0, to: 5, level: "patient" });
    model.refuse(at, "too long");
    await rest();
    expect(ticking.error.value).toBe("too long");
  });
});
