import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/app/index";
import type { Column, Level } from "../src/kernel/protocol";
import { Store } from "../src/state/store";
import { makeRow, writeRow } from "../src/table/cells";
import { fit, least } from "../src/table/columns";
import { action } from "../src/table/keys";
import { moveColumn, offered, resetColumns, setWidth, shown, toggleColumn } from "../src/table/layout";
import { cell, shortened } from "../src/ui/format";
import { FakeModel } from "./fake";
import type { Item } from "../src/table/tree";

const EVIL = '<img src=x onerror="window.hit=1">';

describe("texts of cells", () => {
  it.each([
    [1044191, "integer", "1,044,191"], [183_400_000_000, "bytes", "183 GB"], [0, "bytes", "0 B"],
    ["2001-02-03", "date", "2001-02-03"], ["2001-02-03 00:00:00", "date", "2001-02-03"], ["2001-02-03 – 2004-05-06", "date", "2001-02-03 – 2004-05-06"],
    [null, "text", ""], ["", "text", ""], ["3 – 25", "integer", "3 – 25"], [EVIL, "text", EVIL], [0.25, "number", "0.25"],
  ])("%s as %s", (value, type, text) => expect(cell(value, type)).toBe(text));
  it("shows identifiers by their end", () => {
    expect(shortened("1.3.6.1.4.1.14519.5.2.1.7009.9004.111")).toBe("…004.111");
    expect(shortened("CHEST WITH CONTRAST AND MORE")).toBe("CHEST WITH CONTRAST AND MORE");
  });
});

describe("keys in the first column", () => {
  const size = { rows: 10, columns: 5, page: 4 };
  const press = (key: string, change: object = {}) => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, ...change });
  const folded = { expanded: false, level: "patient", nested: false };
  it.each([
    ["ArrowRight", 1, folded, { what: "fold" }],
    ["ArrowRight", 1, { ...folded, expanded: true }, { what: "move", to: { row: 3, column: 2 } }],
    ["ArrowRight", 2, folded, { what: "move", to: { row: 3, column: 3 } }],
    ["ArrowRight", 1, { ...folded, level: "series" }, { what: "move", to: { row: 3, column: 2 } }],
    ["ArrowLeft", 1, { ...folded, expanded: true }, { what: "fold" }],
    ["ArrowLeft", 1, { ...folded, nested: true }, { what: "parent" }],
    ["ArrowLeft", 1, folded, { what: "move", to: { row: 3, column: 0 } }],
    ["Enter", 3, folded, { what: "open" }], ["i", 3, folded, { what: "details" }], [" ", 3, folded, { what: "tick" }],
    ["x", 3, folded, null],
  ] as const)("%s in column %i of %o", (key, column, row, does) => {
    expect(action(press(key), { row: 3, column }, size, row)).toEqual(does);
  });
  it("copies the row with Shift, leaves a plain copy to the browser, and does nothing without rows", () => {
    expect(action(press("C", { ctrlKey: true, shiftKey: true }), { row: 0, column: 1 }, size, folded)).toEqual({ what: "copy row" });
    expect(action(press("c", { metaKey: true }), { row: 0, column: 1 }, size, folded)).toBeNull();
    expect(action(press("ArrowDown"), { row: 0, column: 1 }, { ...size, rows: 0 }, null)).toBeNull();
  });
});

const COLUMNS: Column[] = [
  { name: "collection_id", label: EVIL, type: "text", description: EVIL },
  { name: "PatientID", label: "Patient", type: "text" },
  { name: "SeriesDescription", label: "Description", type: "text" },
  { name: "StudyDate", label: "Study date", type: "date" },
  { name: "Modality", label: "Modality", type: "text" },
  { name: "license_short_name", label: "Licence", type: "text" },
  { name: "patients", label: "Patients", type: "integer", levels: ["collection"] },
];
const LEVELS: { name: Level; label: string; columns: string[] }[] = [
  { name: "collection", label: "Collections", columns: ["collection_id", "patients", "gone"] },
  { name: "patient", label: "Patients", columns: ["PatientID"] },
  { name: "study", label: "Studies", columns: ["StudyDate"] },
  { name: "series", label: "Series", columns: ["collection_id", "SeriesDescription", "StudyDate", "Modality", "license_short_name"] },
];
const totals = { series: 16, studies: 4, patients: 3, collections: 2, instances: 160, bytes: 6e9 };
const catalog = { version: 25, release: "25", date: "2026-01-01", totals, columns: COLUMNS, levels: LEVELS, facets: [], presets: [], status: "" };

describe("columns", () => {
  it("are those of the level, in the order kept, without unknown ones", () => {
    const store = new Store(new FakeModel({}));
    store.catalog.value = catalog;
    const names = (): string[] => shown(store.catalog.value, store.table.value).map((c) => c.name);
    expect(names()).toEqual(LEVELS[3]!.columns);
    expect(offered(catalog, "series").map((c) => c.name)).not.toContain("patients");
    moveColumn(store, "Modality", 0);
    toggleColumn(store, "PatientID");
    toggleColumn(store, "StudyDate");
    expect(names()).toEqual(["Modality", "collection_id", "SeriesDescription", "license_short_name", "PatientID"]);
    store.setTable({ level: "collection" });
    expect(names()).toEqual(["collection_id", "patients"]);
    toggleColumn(store, "patients");
    toggleColumn(store, "collection_id"); // the last one stays
    expect(names()).toEqual(["collection_id"]);
    store.setTable({ level: "series" });
    resetColumns(store);
    expect(names()).toEqual(LEVELS[3]!.columns);
  });
  it("keep the width that a person set, within reason, while others take the rest", () => {
    const store = new Store(new FakeModel({}));
    setWidth(store, "PatientID", 5000);
    setWidth(store, "Modality", 1);
    expect(store.table.value.widths).toEqual({ PatientID: 900, Modality: 48 });
    setWidth(store, "PatientID", null);
    expect(store.table.value.widths).toEqual({ Modality: 48 });
    const list = COLUMNS.filter((c) => !c.levels);
    const widths = fit(list, 1400, { StudyDate: 200 });
    expect(widths[3]).toBe(200);
    expect(widths.reduce((a, b) => a + b, 36)).toBe(1400);
    list.forEach((c, i) => expect(widths[i]).toBeGreaterThanOrEqual(c.name === "StudyDate" ? 200 : least(c)));
  });
});

describe("a cell", () => {
  it("warns of the values that the kernel has marked", () => {
    const licence: Column = { name: "license_short_name", label: "Licence", type: "text", marked: ["CC BY-NC 4.0"] };
    const slot = makeRow([licence], "r");
    const show = (text: string): boolean => {
      const item = { node: { level: "series", depth: 0 }, row: [1], read: () => text } as unknown as Item;
      writeRow(slot, [licence], item);
      return slot.cells[0]!.querySelector(".idc-nc") !== null;
    };
    expect(["CC BY-NC 4.0", "CC BY 4.0", "CC BY 4.0, CC BY-NC 4.0"].map(show)).toEqual([true, false, true]);
  });
});

describe("the table's parts", () => {
  let el: HTMLElement;
  beforeEach(() => {
    el = document.createElement("div");
    document.body.append(el);
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(500);
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
  });
  afterEach(() => {
    el.remove();
    vi.restoreAllMocks();
  });
  const one = (selector: string): HTMLElement => el.querySelector<HTMLElement>(selector)!;
  const button = (name: string): HTMLElement => [...el.querySelectorAll<HTMLElement>("button")].find((b) => b.getAttribute("aria-label") === name || b.textContent === name)!;

  it("show hostile text as text: rows at every level, crumbs, details, chooser, file dialog, tip", async () => {
    const model = new FakeModel({ _view: "table", _where: [], _sort: [], _ticks: { base: null, minus: [], plus: [1] }, _catalog: catalog, _table: { level: "collection" } });
    model.answers = {
      page: (m) => ({ total: 3, rows: [1, 2, 3].map((id) => [id, ...(m.columns as string[]).map((c) => (["patients", "studies", "series"].includes(c) ? 2 : EVIL))]) }),
      marks: (m) => ({ ticked: m.all ? [1] : (m.rows as number[]).map(() => 1), of: 9 }),
      tick: (m) => m.ticks,
      hidden: () => ({ series: 1 }),
      detail: () => ({
        row: 1, fields: { collection_id: EVIL, [EVIL]: EVIL, Modality: EVIL, SeriesDescription: EVIL, license_short_name: EVIL, instanceCount: 3, series_size_MB: 5 },
        siblings: [[1, EVIL, EVIL, 3, 4]], more: 1, code: EVIL, noncommercial: true, title: EVIL, about: EVIL,
        links: [{ label: EVIL, note: EVIL, url: "https://doi.org/x" }, { label: "bad", note: "", url: "javascript:alert(1)" }],
      }),
      save: () => ({ confirm: EVIL }),
    };
    const stop = widget().render({ model, el });
    await vi.waitFor(() => expect(one(".idc-row:not([hidden]):not(.idc-loading)")).not.toBeNull(), 5000);
    const until = (what: () => void): Promise<void> => vi.waitFor(what, 5000);
    const says = (where: string): Promise<void> => until(() => expect(one(where)?.textContent).toContain("<img"));
    one(".idc-twisty").click();
    await until(() => expect(one(".idc-nested:not([hidden]):not(.idc-loading)")).not.toBeNull());
    button("Details").click();
    await says(".idc-pane .idc-pane-code");
    button("Columns").click();
    await says(".idc-choose");
    button("Save").click();
    await until(() => expect(one(".idc-save")).not.toBeNull());
    one(".idc-save").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await says(".idc-save [role=alertdialog]");
    const grid = one("[role=grid]");
    one(".idc-row .idc-first").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    await says(".idc-crumbs");
    await until(() => expect(one(".idc-row:not([hidden]):not(.idc-loading)")).not.toBeNull());
    grid.focus();
    for (const key of ["Home", "ArrowRight", "ArrowRight"]) grid.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    await says(".idc-row:not([hidden]) .idc-first");
    await says(".idc-fields");
    for (const where of [".idc-row .idc-cell", ".idc-pane .idc-links", ".idc-siblings", ".idc-fields", ".idc-about", ".idc-pane-code", ".idc-pane-head", ".idc-pane-sum"]) {
      expect([...el.querySelectorAll(where)].map((e) => e.textContent).join(), where).toContain("<img src=x");
    }
    expect(el.querySelector("img")).toBeNull();
    expect([...el.querySelectorAll("a")].map((a) => a.getAttribute("href"))).toEqual(["https://doi.org/x"]);
    stop();
    expect(model.heard).toBe(0);
  }, 20_000);
});
