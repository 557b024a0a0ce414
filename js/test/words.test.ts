import { describe, expect, it } from "vitest";
import type { Condition } from "../src/cohort/condition";
import { humanName, valueText } from "../src/filters/names";
import { sentence, words } from "../src/filters/words";
import { cell, count, duration, shortened, longDate, plural, size } from "../src/ui/format";

describe("format", () => {
  it.each([
    ["1.3.6.1.4.1.9328.50.1.160910", "…160910"],
    ["1.3.6.1.4.1.9328.50.1.0109", "…1.0109"],
    ["1.3.6.1.4.1.9328.50...0109", "…0109"],
    ["1.3.6.1.4.1.9328.50.1.0109, 1.3.6.1.4.1.9328.50.1.0117 and 3 more", "…1.0109, …1.0117 and 3 more"],
    ["100_HM10395", "100_HM10395"],
    ["1.2.3", "1.2.3"],
  ])("shows of %s what tells it apart", (text, shown) => expect(shortened(text)).toBe(shown));
  it.each([
    [0, "0 B"], [999, "999 B"], [1000, "1.00 kB"], [34_900, "34.9 kB"], [999_499, "999 kB"], [999_500, "1.00 MB"],
    [314_450_000, "314 MB"], [1_924_000_000_000, "1.92 TB"], [99_940_000_000_000, "99.9 TB"], [2e15, "2.00 PB"], [5e18, "5000 PB"],
  ])("size %d", (bytes, text) => expect(size(bytes)).toBe(text));
  it("counts with separators", () => {
    expect(count(1_044_191)).toBe("1,044,191");
    expect(plural(1, "file")).toBe("1 file");
    expect(plural(6571, "file")).toBe("6,571 files");
    expect(plural(2, "study", "studies")).toBe("2 studies");
  });
  it.each([[0.2, "1 s"], [14, "14 s"], [59.4, "59 s"], [59.6, "1 min"], [185, "3 min"], [7500, "2 h 5 min"], [7200, "2 h"], [3599, "1 h"], [345_600, "4 days"]])(
    "duration %d", (s, text) => expect(duration(s)).toBe(text));
  it("dates", () => {
    expect(longDate("2026-09-26")).toBe("26 Sep 2026");
    expect(longDate("soon")).toBe("soon");
  });
  it("cells", () => {
    expect(cell(null, "text")).toBe("");
    expect(cell(91_980, "integer")).toBe("91,980");
    expect(cell(195_185_000_000, "bytes")).toBe("195 GB");
    expect(cell("1880-09-09", "date")).toBe("1880-09-09");
    expect(cell(0, "integer")).toBe("0");
  });
});

describe("words", () => {
  const label = (c: string): string => ({ Modality: "Modality", collection_id: "Collection" })[c] ?? c;
  const cases: [Condition, string][] = [
    [{ op: "in", column: "Modality", values: ["CT", "SEG"] }, "Modality CT, SEG"],
    [{ op: "in", column: "Modality", values: ["CT", "SEG", "MR", null] }, "Modality CT, SEG +2"],
    [{ op: "in", column: "Modality", values: [null] }, "Modality missing"],
    [{ op: "in", column: "Modality", values: [] }, "Modality nothing"],
    [{ op: "not", arg: { op: "in", column: "collection_id", values: ["nlst"] } }, "not Collection nlst"],
    [{ op: "between", column: "size", low: 10, high: 500 }, "size 10 – 500"],
    [{ op: "between", column: "size", low: null, high: 500 }, "size up to 500"],
    [{ op: "between", column: "size", low: 10, high: null }, "size from 10"],
    [{ op: "contains", column: "d", text: "t2 axial" }, "d contains “t2 axial”"],
    [{ op: "search", text: "prostate t2" }, "Search “prostate t2”"],
    [{ op: "with_modalities", modalities: ["CT", "SEG"], per: "study" }, "Studies with CT and SEG"],
    [{ op: "with_modalities", modalities: ["CT", "PT", "SEG"], per: "patient" }, "Patients with CT, PT and SEG"],
    [
      { op: "or", args: [{ op: "in", column: "Modality", values: ["CT"] }, { op: "search", text: "x" }] },
      "(Modality CT or Search “x”)",
    ],
    [
      { op: "not", arg: { op: "and", args: [{ op: "in", column: "Modality", values: ["CT"] }, { op: "search", text: "x" }] } },
      "not (Modality CT and Search “x”)",
    ],
    [{ op: "not", arg: { op: "not", arg: { op: "search", text: "x" } } }, "not (not Search “x”)"],
  ];
  it.each(cases)("%j", (condition, text) => expect(sentence(condition, label)).toBe(text));
  it("names every value when asked, and survives an unknown condition", () => {
    expect(sentence(cases[1]![0], label, Infinity)).toBe("Modality CT, SEG, MR, missing");
    expect(words({ op: "future" } as unknown as Condition, label).rest).toContain("future");
  });
  it("has human names for codes", () => {
    const names = { Modality: { CT: "Computed Tomography" }, PatientSex: { F: "Female" } };
    expect(humanName("Modality", "CT", names)).toBe("Computed Tomography");
    expect(humanName("Modality", "constructor", names)).toBe("");
    expect(humanName("BodyPartExamined", "CT", names)).toBe("");
    expect(humanName("PatientSex", "F", names)).toBe("Female");
    expect(humanName("PatientSex", "6657", names)).toBe("no code of DICOM");
    expect(humanName("PatientSex", null, names)).toBe("");
    expect(valueText(null)).toBe("missing");
  });
});

describe("conditions of other tables", () => {
  const same = (column: string): string => column;
  const seg: Condition = { op: "in", column: "Modality", values: ["SEG"] };
  it.each<[Condition, string]>([
    [{ op: "compare", column: "ct_index.SliceThickness", than: "<", value: 1.5 }, "ct_index.SliceThickness below 1.5"],
    [{ op: "compare", column: "PatientAge", than: ">", value: 60 }, "PatientAge above 60"],
    [{ op: "references", arg: seg }, "Made on Modality SEG"],
    [{ op: "not", arg: { op: "referenced_by", arg: seg } }, "not Comes with Modality SEG"],
    [{ op: "sql", text: "instanceCount % 2 = 0" }, "SQL instanceCount % 2 = 0"],
  ])("read as words", (condition, said) => expect(sentence(condition, same)).toContain(said));
});
