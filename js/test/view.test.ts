import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/app/index";
import type { CubeMessage, Job, Plan, SeriesRow } from "../src/kernel/protocol";
import { FakeModel } from "./fake";

const EVIL = '<img src=x onerror="window.hit=1">';

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return btoa(String.fromCharCode(...new Uint8Array(await new Response(stream).arrayBuffer())));
}

/** Three series of two modalities, one of which is hostile, in two collections. */
async function cube(): Promise<CubeMessage> {
  const buffer = new ArrayBuffer(8 + 8 + 16 + 8 + 16 + 16 + 24);
  new Uint8Array(buffer, 0, 3).set([0, 1, 1]);
  new Uint8Array(buffer, 8, 3).set([0, 0, 1]);
  new Uint32Array(buffer, 16, 3).set([1, 1, 1]);
  new Uint8Array(buffer, 32, 3).set([0, 1, 2]);
  new Uint32Array(buffer, 40, 3).set([10, 5, 1]);
  new Uint32Array(buffer, 56, 3).set([100, 50, 10]);
  new Float64Array(buffer, 72, 3).set([1e9, 2e9, 3e9]);
  return {
    outside: [],
    groups: 3,
    rows: 3,
    bins: [{ name: "PatientAge", kind: "number", edges: [50], extra: [], total: [10, 5, 1, 0] }],
    dimensions: [
      { name: "Modality", values: ["CT", EVIL], total: [10, 6], bits: 8 },
      { name: "collection_id", values: ["a", null], total: [15, 1], bits: 8 },
    ],
    derived: [{ name: "cancer_types", source: "collection_id", values: ["Lung", EVIL], total: [15, 15], members: [[0, 1], []] }],
    data: await deflate(new Uint8Array(buffer)),
  };
}

const totals = { series: 16, studies: 4, patients: 3, collections: 2, instances: 160, bytes: 6e9 };
const job: Job = {
  id: "j", title: EVIL, path: EVIL, provider: EVIL, state: "failed", kind: "incomplete", reason: EVIL, seconds: null, workers: 64, error: EVIL, bytes_total: 100, bytes_done: 50, bytes_in_flight: 0,
  files_total: 10, files_done: 5, series_total: 1, series_done: 0, failed: 5, speed: null, eta: null, created: "",
};

const series: SeriesRow = {
  SeriesInstanceUID: EVIL, path: EVIL, below: EVIL, state: "failed", files: 10, files_done: 5, bytes: 100, bytes_done: 50, bytes_in_flight: 0,
  reason: EVIL, retry_in: null,
};
const plan: Plan = {
  provider: EVIL, series: 1, series_present: 0, series_unverified: 0, series_elsewhere: 0, to_fetch: 100, need: 100, under_way: [], free: 1e12, seconds: 3, problem: null, warnings: true,
  licences: [{ name: EVIL, series: 1, bytes: 100, noncommercial: true }], lines: [["Destination", EVIL], [EVIL, "x"]],
};

async function make() {
  const model = new FakeModel({
    _view: "explorer",
    _where: [{ op: "contains", column: "SeriesDescription", text: EVIL }],
    _sort: [],
    _ticks: { base: null, minus: [], plus: [1] },
    _destination: EVIL,
    _downloads: "IPY_MODEL_d",
    _catalog: {
      version: 25, release: EVIL, date: EVIL, totals, status: EVIL,
      columns: [
        { name: "collection_id", label: EVIL, type: "text", description: EVIL, default: true },
        { name: "SeriesDescription", label: "Description", type: "text", default: true },
        { name: "StudyDate", label: "Date", type: "date", default: true },
        { name: "license_short_name", label: "Licence", type: "text", default: true },
      ],
      facets: [
        { name: "Modality", label: "Modality", group: EVIL, description: EVIL },
        { name: "collection_id", label: "Collection", group: "b" },
        { name: "cancer_types", label: "Cancer type", group: "b" },
      ],
      names: { Modality: { CT: "Computed Tomography" } },
      presets: [{ name: "p", label: EVIL, description: EVIL, where: [] }],
    },
    _cube: await cube(),
  });
  const downloads = new FakeModel({ _view: "downloads", _jobs: [], _past: [job], _ended: 1 });
  downloads.answers.failures = () => ({ failures: [{ key: EVIL, SeriesInstanceUID: EVIL, reason: EVIL }], more: 2 });
  downloads.answers.series = () => ({ counts: { queued: 0, active: 0, complete: 0, failed: 1 }, rows: [series] });
  downloads.answers.code = () => [{ label: EVIL, text: EVIL }];
  model.widget_manager = { get_model: () => Promise.resolve(downloads) };
  const message = model.state._cube as CubeMessage;
  model.answers = {
    interpret: () => ({ taken: false, readings: [] }),
    cube: (m) => ({ ...message, outside: m.outside }),
    totals: () => totals,
    page: () => ({ total: 3, rows: [1, 2, 3].map((id) => [id, EVIL, EVIL, EVIL, EVIL]) }),
    selection: () => ({ ...totals, series: 1, licences: [{ name: EVIL, series: 1, noncommercial: true }] }),
    destination: () => ({ path: EVIL, free: 1e12, writable: true, problem: null }),
    download: () => ({ confirm: EVIL }),
    plan: () => plan,
  };
  return { model, downloads };
}

const rest = (ms = 60): Promise<void> => new Promise((r) => setTimeout(r, ms));
let el: HTMLElement;

/** Until values and rows are drawn. */
const ready = (): Promise<void> =>
  vi.waitFor(() => {
    expect(one(".idc-value:not([hidden])")).not.toBeNull();
    expect(one(".idc-row:not([hidden])")).not.toBeNull();
    expect(one(".idc-row.idc-loading:not([hidden])")).toBeNull();
  }, 5000);

beforeEach(() => {
  el = document.createElement("div");
  document.body.append(el);
  // happy-dom lays nothing out.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(500);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
});
afterEach(() => {
  el.remove();
  vi.restoreAllMocks();
});

const all = (selector: string): HTMLElement[] => [...el.querySelectorAll<HTMLElement>(selector)];
const one = <T extends HTMLElement = HTMLElement>(selector: string): T => el.querySelector<T>(selector)!;
const values = (facet: string): string[] => all(`[role=group][aria-label="${facet}"] .idc-value:not([hidden])`).map((e) => ["label", "count"].map((c) => e.querySelector(`.idc-${c}`)!.textContent!.trim()).join(" ").replace(/\s+/g, " "));

describe("explorer", () => {
  it("shows hostile text as text, everywhere", async () => {
    const { model } = await make();
    const stop = widget().render({ model, el });
    await ready();
    await vi.waitFor(() => expect(one(".idc-place").textContent).not.toBe(" "), 5000);
    const buttons = all("button");
    await vi.waitFor(() => expect(all("button").some((b) => b.textContent!.trim() === "Plan")).toBe(true), 5000);
    all("button").find((b) => b.textContent!.trim() === "Plan")!.click();
    buttons.find((b) => b.textContent === "Show what failed")!.click();
    buttons.find((b) => b.textContent === "Download")!.click();
    await vi.waitFor(() => expect(one(".idc-series-failed")).not.toBeNull());
    one(".idc-series-failed").click();
    all("button").find((b) => b.textContent === "Code and commands")!.click();
    await vi.waitFor(() => {
      expect(one<HTMLTextAreaElement>(".idc-code").value).toBe(EVIL);
      for (const late of [".idc-reasons li", ".idc-question", ".idc-plan-details"]) expect(one(late), late).not.toBeNull();
    }, 5000);
    expect(el.querySelector("img")).toBeNull();
    for (const where of [
      ".idc-chip", ".idc-status", ".idc-version", ".idc-preset", "h3", ".idc-value", ".idc-row .idc-cell", "[role=columnheader]",
      ".idc-licence", ".idc-path", ".idc-job-title", ".idc-bad", ".idc-reasons li", ".idc-question", ".idc-job-folder", ".idc-series", ".idc-chosen", ".idc-plan", ".idc-plan-details dt", ".idc-plan-details dd",
    ]) {
      const shown = all(where).map((e) => e.textContent).join("\n");
      // The destination's own path is not repeated beside the field that says it.
      if (where !== ".idc-path") expect(shown, where).toContain("<img src=x");
    }
    stop();
  });

  it("names its parts for screen readers and tests", async () => {
    const { model } = await make();
    const stop = widget().render({ model, el });
    await ready();
    for (const [role, name] of [["region", "IDC Explorer"], ["region", "Filters"], ["grid", "Results"], ["region", "Downloads"], ["group", "Modality"]]) {
      expect(one(`[role=${role}][aria-label="${name}"]`), name).not.toBeNull();
    }
    expect(one("[role=grid]").getAttribute("aria-rowcount")).toBe("4");
    expect(one("[role=progressbar]").getAttribute("aria-valuenow")).toBe("50");
    expect(all(".idc-row:not([hidden])").map((r) => r.getAttribute("aria-rowindex"))).toEqual(["2", "3", "4"]);
    stop();
  });

  it("counts by itself at a click, excludes at alt-click, and tells the kernel afterwards", async () => {
    const { model } = await make();
    model.state._where = [];
    const stop = widget().render({ model, el });
    await ready();
    expect(values("Modality")).toEqual(["CT Computed Tomography 10", `${EVIL} 6`]);
    expect(values("Collection")).toEqual(["a 15", "missing 1"]);
    model.answers = {}; // the kernel falls silent
    one('[aria-label="Modality"] .idc-value').click();
    expect(values("Collection")).toEqual(["a 10", "missing 0"]);
    expect(values("Modality")).toEqual(["CT Computed Tomography 10", `${EVIL} 6`]);
    expect(values("Cancer type")).toEqual([`${EVIL} 10`, "Lung 10", "missing 0"]);
    await rest();
    expect(model.state._where).toEqual([{ op: "in", column: "Modality", values: ["CT"] }]);
    expect(model.saved).toBe(1);
    one('[aria-label="Modality"] .idc-value').dispatchEvent(new MouseEvent("click", { altKey: true, bubbles: true }));
    expect(values("Collection")).toEqual(["a 5", "missing 1"]);
    expect(one('[aria-label="Modality"] .idc-out').getAttribute("aria-checked")).toBe("mixed");
    stop();
  });

  it("ticks by keyboard and keeps the place of the keyboard with its value", async () => {
    const { model } = await make();
    model.state._where = [];
    const stop = widget().render({ model, el });
    await ready();
    const first = one('[aria-label="Modality"] .idc-value');
    first.focus();
    const press = (key: string): boolean => document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    press("ArrowDown");
    expect(document.activeElement!.textContent).toContain("<img");
    press(" ");
    await rest(10);
    // The ticked value went to the top, and the focus with it.
    expect(document.activeElement!.textContent).toContain("<img");
    expect(document.activeElement!.getAttribute("aria-checked")).toBe("true");
    press("Enter");
    expect(document.activeElement!.getAttribute("aria-checked")).toBe("false");
    stop();
  });

  it("follows Python, shows pending counts as pending, and asks for the cube once", async () => {
    const { model } = await make();
    model.state._where = [];
    const stop = widget().render({ model, el });
    await ready();
    delete model.answers.cube;
    model.set("_where", [{ op: "search", text: "liver" }]);
    await rest();
    expect(one("[aria-label=Filters]").className).toContain("idc-pending");
    expect(one("[data-stat=size]").textContent).not.toContain("16");
    const asked = model.sent.filter((m) => m.op === "cube");
    expect(asked.map((m) => m.outside)).toEqual([[{ op: "search", text: "liver" }]]);
    model.reply(model.sent.indexOf(asked[0]!), { ...(model.state._cube as CubeMessage), outside: [{ op: "search", text: "liver" }] });
    await rest();
    expect(one("[aria-label=Filters]").className).not.toContain("idc-pending");
    model.set("_where", []);
    model.set("_where", [{ op: "search", text: "liver" }]);
    await rest();
    expect(model.sent.filter((m) => m.op === "cube").length).toBe(1); // both cubes are kept
    stop();
  });

  it("two views agree; the last one to leave leaks nothing; a view can come back", async () => {
    const { model, downloads } = await make();
    model.state._where = [];
    const w = widget();
    w.initialize({ model });
    const other = document.createElement("div");
    document.body.append(other);
    const stops = [w.render({ model, el }), w.render({ model: Object.create(model) as FakeModel, el: other })];
    await ready();
    one('[aria-label="Modality"] .idc-value').click();
    expect(other.querySelector('[aria-label="Modality"] .idc-value')!.getAttribute("aria-checked")).toBe("true");
    for (const stop of stops) stop();
    await rest();
    expect(model.heard).toBe(0);
    expect(downloads.heard).toBe(0);
    const stop = w.render({ model, el });
    await ready();
    expect(values("Modality")[0]).toContain("CT");
    expect(one('[aria-label="Modality"] .idc-value').getAttribute("aria-checked")).toBe("true");
    stop();
    expect(model.heard).toBe(0);
    other.remove();
  });

  it("searches when the typing rests, at once at Enter, and ends with Escape", async () => {
    const { model } = await make();
    model.state._where = [];
    const stop = widget().render({ model, el });
    await ready();
    const box = one("input[aria-label='Search all text']") as HTMLInputElement;
    const type = (text: string): void => {
      box.value = text;
      box.dispatchEvent(new Event("input", { bubbles: true }));
    };
    type("li");
    type("liver");
    await rest();
    expect(model.state._where).toEqual([]);
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    await rest();
    expect(model.state._where).toEqual([{ op: "search", text: "liver" }]);
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    await rest();
    expect(model.state._where).toEqual([]);
    stop();
  });

  it("has one stop of Tab in the bar above the table, and arrows within it", async () => {
    const { model } = await make();
    const stop = widget().render({ model, el });
    await ready();
    const bar = one("[role=toolbar]");
    const stops = (): string[] => [...bar.querySelectorAll<HTMLElement>("button")].filter((b) => b.tabIndex === 0).map((b) => b.getAttribute("aria-label")!);
    const press = (key: string): string | null => {
      document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      return document.activeElement!.getAttribute("aria-label");
    };
    expect(stops()).toEqual(["Only ticked"]);
    bar.querySelector("button")!.focus();
    expect(press("ArrowRight")).toBe("Columns");
    expect(stops()).toEqual(["Columns"]);
    expect(press("End")).toBe("Details");
    expect(press("ArrowRight")).toBe("Only ticked");
    expect(press("ArrowLeft")).toBe("Details");
    expect(press("Home")).toBe("Only ticked");
    // A button that can be pressed no more keeps the keyboard; then it is passed over, and not the stop.
    model.set("_ticks", { base: null, minus: [], plus: [] });
    await rest();
    expect(stops()).toEqual(["Only ticked"]);
    expect(press("ArrowRight")).toBe("Columns");
    expect(press("ArrowLeft")).toBe("Details");
    stop();
  });

  it("lists the keys in a dialog", async () => {
    const { model } = await make();
    const stop = widget().render({ model, el });
    await ready();
    one(".idc-help-button").click();
    await rest(10);
    expect(one("dialog[aria-label='Keyboard shortcuts']").textContent).toContain("search all text");
    one("dialog button[aria-label=Close]").click();
    await rest(10);
    expect(one("dialog")).toBeNull();
    stop();
  });

  it("asks again before a large download, inline", async () => {
    const { model } = await make();
    const stop = widget().render({ model, el });
    await ready();
    await vi.waitFor(() => expect(one(".idc-place").textContent).not.toBe(" "), 5000);
    all("button").find((b) => b.textContent === "Download")!.click();
    await rest();
    expect(one("[role=alertdialog]").textContent).toContain("<img");
    model.set("_ticks", { base: null, minus: [], plus: [1, 2] });
    await rest();
    expect(one("[role=alertdialog]")).toBeNull(); // it was about other ticks
    await vi.waitFor(() => expect(all("button").find((b) => b.textContent === "Download")!.getAttribute("aria-disabled")).toBe("false"));
    all("button").find((b) => b.textContent === "Download")!.click();
    await vi.waitFor(() => expect(one("[role=alertdialog]")).not.toBeNull());
    model.answers.download = () => ({ job: "1" });
    all("button").find((b) => b.textContent === "Download anyway")!.click();
    await rest();
    expect(model.sent.filter((m) => m.op === "download").map((m) => m.confirmed)).toEqual([undefined, undefined, true]);
    expect(one("[role=alertdialog]")).toBeNull();
    stop();
  });

  it("says of what is ticked that it is on its way, how much remains, and that it is here", async () => {
    const { model, downloads } = await make();
    model.answers.destination = () => ({ path: "/x", free: 1e12, writable: true, problem: null });
    model.answers.plan = () => ({ ...plan, series: 5, series_present: 1, need: 100, under_way: [{ job: "r", series: 3, alone: true }] });
    const stop = widget().render({ model, el });
    await ready();
    const line = (): string => one(".idc-plan")?.textContent ?? "";
    await vi.waitFor(() => expect(line()).toContain("To fetch 100 B"), 5000);
    expect(line()).toContain("3 series being downloaded");
    // All that is missing; the figure is the download's own, of now.
    const running: Job = { ...job, id: "r", state: "running", kind: "downloading", bytes_total: 5e9, bytes_done: 2e9, eta: 60 };
    const plans = (): number => model.sent.filter((m) => m.op === "plan").length;
    const before = plans();
    model.answers.plan = () => ({ ...plan, series: 5, series_present: 1, need: 100, under_way: [{ job: "r", series: 4, alone: true }] });
    downloads.set("_jobs", [running]); // one that this page did not begin: the plan is worked out anew
    await vi.waitFor(() => expect(line()).toContain("Under way already, downloading: 3.00 GB to go1 min left1 series already downloaded"), 5000);
    expect(plans()).toBe(before + 1);
    downloads.set("_jobs", [{ ...running, bytes_done: 4e9, kind: "paused", state: "paused", eta: null }]);
    await vi.waitFor(() => expect(line()).toContain("Under way already, paused: 1.00 GB to go"));
    expect(plans()).toBe(before + 1);
    // Which is no reason to refuse another.
    expect(all("button").find((b) => b.textContent === "Download")!.getAttribute("aria-disabled")).toBe("false");
    // Together with others, its own figures say nothing of what is ticked.
    model.answers.plan = () => ({ ...plan, series: 5, series_present: 1, need: 100, under_way: [{ job: "r", series: 4, alone: false }] });
    model.set("_ticks", { base: null, minus: [], plus: [2] });
    await vi.waitFor(() => expect(line()).toMatch(/^Under way already1 series/), 5000);
    model.answers.plan = () => ({ ...plan, series: 5, series_present: 5, to_fetch: 0, need: 0 });
    downloads.set("_ended", 2);
    downloads.set("_jobs", []);
    await vi.waitFor(() => expect(line()).toContain("All downloaded already, verified"), 5000);
    stop();
  });

  it("says in words why it cannot download", async () => {
    const { model } = await make();
    model.answers.destination = () => ({ path: "/x", free: 10, writable: true, problem: null });
    model.answers.plan = () => ({ ...plan, free: 10, need: 6e9 });
    const stop = widget().render({ model, el });
    await ready();
    await vi.waitFor(() => expect(one(".idc-place").textContent).not.toBe(" "), 5000);
    const button = all("button").find((b) => b.textContent === "Download") as HTMLButtonElement;
    expect(button.getAttribute("aria-disabled")).toBe("true");
    await vi.waitFor(() => expect(el.textContent).toContain("6.00 GB do not fit: /x has 10 B free."));
    // Of which all but a little is there already.
    model.answers.plan = () => ({ ...plan, free: 10, need: 5, series_present: 1 });
    model.set("_ticks", { base: null, minus: [], plus: [2] });
    await vi.waitFor(() => expect(button.getAttribute("aria-disabled")).toBe("false"), 5000);
    expect(one(".idc-plan").textContent).toContain("already downloaded");
    stop();
  });
});
