import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import type { Condition, Value, Where } from "../src/cohort/condition";
import { Cube } from "../src/cube/cube";
import { only, replace, without } from "../src/filters/edits";
import { columnName } from "../src/filters/names";
import { cleaned, isList, stands, suggest } from "../src/filters/suggest";
import { words } from "../src/filters/words";
import { Link } from "../src/kernel/link";
import { History } from "../src/state/history";
import { compact } from "../src/ui/format";
import { FakeModel } from "./fake";

const among = (column: string, ...values: Value[]): Condition => ({ op: "in", column, values });
const no = (c: Condition): Condition => ({ op: "not", arg: c });

describe("edits", () => {
  const where: Where = [among("Modality", "CT", "MR"), no(among("Modality", "SR")), among("PatientSex", "F")];
  it("leaves only one value of a column", () => {
    expect(only(where, "Modality", "SEG")).toEqual([among("PatientSex", "F"), among("Modality", "SEG")]);
    expect(only([], "Modality", null)).toEqual([among("Modality", null)]);
  });
  it("replaces a condition in its place", () => {
    const text = (t: string): Condition => ({ op: "contains", column: "SeriesDescription", text: t });
    expect(replace([text("a"), ...where], "SeriesDescription", "contains", text("b"))).toEqual([text("b"), ...where]);
    expect(replace(where, "SeriesDescription", "contains", text("b"))).toEqual([...where, text("b")]);
    expect(replace([text("a"), ...where], "SeriesDescription", "contains", null)).toEqual(where);
  });
  it("leaves out what is said of a column, exclusions too", () => {
    expect(without(where, "Modality")).toEqual([among("PatientSex", "F")]);
    expect(without([{ op: "search", text: "x" }], "Modality")).toHaveLength(1);
  });
});

describe("history", () => {
  let moving = false;
  const make = () => {
    const where = signal<Where>([]);
    const history = new History(where, (w) => (where.value = w), () => moving);
    return { where, history, stop: history.follow() };
  };
  const a = [among("A", "1")];
  const b = [among("B", "2")];
  it("goes back and forth, and forgets the future at a new change", () => {
    const { where, history, stop } = make();
    expect(history.canUndo.value).toBe(false);
    where.value = a;
    where.value = b;
    history.undo();
    expect(where.value).toBe(a);
    history.redo();
    expect(where.value).toBe(b);
    history.undo();
    history.undo();
    expect(where.value).toEqual([]);
    expect(history.canUndo.value).toBe(false);
    where.value = b;
    expect(history.canRedo.value).toBe(false);
    history.undo();
    expect(where.value).toEqual([]);
    stop();
  });
  it("takes a drag for one change", () => {
    const { where, history, stop } = make();
    moving = true;
    where.value = a;
    where.value = b;
    moving = false;
    where.value = [...b];
    history.undo();
    expect(where.value).toEqual([]);
    expect(history.canUndo.value).toBe(false);
    stop();
  });
});

describe("search", () => {
  const axis = (name: string, values: Value[]) => ({
    name, values, total: values.map((_, i) => 100 - i), index: new Map(values.map((v, i) => [v, i])), codes: new Uint8Array(1),
    sourceSize: values.length, members: null, bins: null,
  });
  const cube = new Cube(
    [], [axis("Modality", ["CT", "SEG", null]), axis("collection_id", ["tcga_luad", "nlst", "4d_lung"]), axis("BodyPartExamined", ["LUNG", "CHEST"])],
    new Uint32Array([0, 1]), new Uint32Array(1), new Uint32Array(1), new Float64Array(1),
  );
  const titles = { Modality: { CT: "Computed Tomography", SEG: "Segmentation" }, collection_id: { nlst: "National Lung Screening Trial" } };
  const found = (text: string): string[] => suggest(cube, titles, text).map((s) => `${s.column} ${s.value}`);
  it("finds values by their own and their human names", () => {
    expect(found("lung")).toEqual(["BodyPartExamined LUNG", "collection_id nlst", "collection_id 4d_lung"]);
    expect(found("computed tomo")).toEqual(["Modality CT"]);
    expect(found("lung nation")).toEqual(["collection_id nlst"]);
    expect(found("tcga_lu")).toEqual(["collection_id tcga_luad"]);
    expect(found("luad")).toEqual(["collection_id tcga_luad"]);
    expect(found("ung")).toEqual([]); // in the middle of a word
    expect(found("c")).toEqual([]);
  });
  it("does not offer what stands already", () => {
    const s = suggest(cube, titles, "nlst")[0]!;
    expect(stands([among("collection_id", "nlst")], s)).toBe(true);
    expect(stands([no(among("collection_id", "nlst"))], s)).toBe(false);
  });
  it.each([
    ["https://doi.org/10.7937/tcia.hmq8-j677", "10.7937/tcia.hmq8-j677"],
    ["doi: 10.5281/zenodo.1", "10.5281/zenodo.1"],
    ["prostate t2", "prostate t2"],
  ])("takes %s for %s", (typed, meant) => expect(cleaned(typed)).toBe(meant));
  it.each([
    ["1.2.3\n1.2.4", true], ["1.2.3, 1.2.4", true], ["a\tb", true], ["nlst_1; nlst_2", true],
    ["cp s3://idc-open-data/uuid/* .", true], ["1.2.840.113654.2.55.1 1.2.840.113654.2.55.2", true],
    ["https://viewer.imaging.datacommons.cancer.gov/v3/viewer/?StudyInstanceUIDs=1.3.6.1.4.1.14519.5.2.1", true],
    ["https://idc-open-data.s3.amazonaws.com/0e79c5f9-c846-4fc5-ae45-62a5bafbb713/", true],
    ["lidc_idri,LIDC-IDRI-1001,1.3.6.1.4.1.14519.5.2.1,CT", true], ["https://doi.org/10.7937/tcia.hmq8-j677", false],
    ["prostate t2", false], ["lung, left", false], ["liver", false], ["1.2.840.113654.2.55.1", false], ["one line\n", false],
  ])("sees whether %j is a list", (text, is) => expect(isList(text)).toBe(is));
});

describe("names", () => {
  it.each([
    ["ct_index.SliceThickness", "Slice thickness (CT)"], ["SeriesInstanceUID", "Series instance UID"],
    ["volume_geometry_index.regularly_spaced_3d_volume", "Regularly spaced 3d volume (volume geometry)"],
    ["nlst_canc.de_type", "De type (nlst canc)"], ["ct_index.KVP", "KVP (CT)"], ["source_DOI", "Source DOI"],
  ])("calls %s %s", (column, name) => expect(columnName(column)).toBe(name));
  it.each([[0, "0"], [843, "843"], [2_250, "2.25k"], [12_940, "12.9k"], [270_830, "271k"], [999_600, "1.00M"], [1_044_191, "1.04M"]])(
    "writes %d as %s", (n, text) => expect(compact(n)).toBe(text));
  it("says what a list holds, not its identifiers", () => {
    const uids = Array.from({ length: 4988 }, (_, i) => `1.2.${i}`);
    const list: Condition = { op: "or", args: [among("SeriesInstanceUID", ...uids), among("StudyInstanceUID", "1.9", "1.8")] };
    expect(words(list, (c) => c)).toEqual({ subject: "List", rest: "4,988 series, 2 studies", not: false });
    expect(words(among("PatientID", ...uids), (c) => c).rest).toBe("4,988 patients");
    expect(words(among("PatientID", "a"), (c) => c).rest).toBe("a");
    expect(words({ op: "or", args: [among("Modality", "CT"), among("PatientSex", "F")] }, (c) => c).rest).toBe("Modality CT or PatientSex F");
  });
});

describe("the kernel's own words", () => {
  it("keeps what it says of a fetch, beside replies", async () => {
    const model = new FakeModel({});
    const link = new Link(model);
    link.connect();
    const reply = link.request("facet", {});
    model.emit("msg:custom", { event: "fetch", table: "ct_index", done: 5, total: 10 });
    expect(link.fetches.value.ct_index?.done).toBe(5);
    model.reply(0, { values: [] });
    expect(await reply).toEqual({ values: [] });
    model.emit("msg:custom", { event: "fetch", table: "ct_index", here: true, error: "" });
    expect(link.fetches.value.ct_index?.here).toBe(true);
    link.disconnect();
  });
});
