import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/app/index";
import type { FacetMessage } from "../src/kernel/protocol";
import { FakeModel } from "./fake";

const EVIL = '<img src=x onerror="window.hit=1">';

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return btoa(String.fromCharCode(...new Uint8Array(await new Response(stream).arrayBuffer())));
}

/** Two groups of one cell each: 10 series of CT in nlst, 6 of MR in a collection with a hostile name. */
async function make(panel: object = {}) {
  const buffer = new ArrayBuffer(8 * 6);
  new Uint8Array(buffer, 0, 2).set([0, 1]);
  new Uint8Array(buffer, 8, 2).set([0, 1]);
  new Uint32Array(buffer, 16, 2).set([1, 1]);
  new Uint32Array(buffer, 24, 2).set([10, 6]);
  const whole = new Uint8Array(8 * 7);
  whole.set(new Uint8Array(buffer));
  const model = new FakeModel({
    _view: "filters",
    _where: [],
    _panel: panel,
    _catalog: {
      version: 25, release: "25.0.5", date: "", status: "", presets: [], columns: [],
      totals: { series: 16, studies: 4, patients: 3, collections: 2, instances: 160, bytes: 6e9 },
      names: { collection_id: { nlst: "National Lung Screening Trial", [EVIL]: EVIL } },
      facets: [
        { name: "Modality", label: "Modality", group: "What", kind: "values", description: EVIL },
        { name: "collection_id", label: "Collection", group: "What", kind: "values" },
        { name: "ManufacturerModelName", label: "Model", group: "What", kind: "kernel" },
      ],
    },
    _cube: {
      outside: [], groups: 2, rows: 2, bins: [], derived: [], data: await deflate(whole),
      dimensions: [
        { name: "Modality", values: ["CT", "MR"], total: [10, 6], bits: 8 },
        { name: "collection_id", values: ["nlst", EVIL], total: [10, 6], bits: 8 },
      ],
    },
  });
  const models: FacetMessage = { kind: "text", values: ["Skyra", EVIL, null], counts: [3, 2, 1], totals: [30, 20, 10], distinct: 436, matching: 83 };
  model.answers = {
    totals: () => model.state._catalog && (model.state._catalog as { totals: object }).totals,
    facet: () => models,
    about: () => ({ title: EVIL, text: `${EVIL}\nSecond.`, facts: [[EVIL, EVIL]], links: [[EVIL, "https://doi.org/10.1/x"]] }),
    columns: () => ({
      columns: [
        { name: "SeriesNumber", label: "Series number", table: "index", description: EVIL },
        { name: "ct_index.KVP", label: "ct_index.KVP", table: "ct_index", description: "Peak kilo voltage" },
      ],
      lacking: { ct_index: { table: "ct_index", host: "github.com", folder: "/cache" } },
      clinical: false,
    }),
    code: (m) => ({ text: `${m.flavour}: ${EVIL}` }),
    identify: () => ({ condition: { op: "in", column: "PatientID", values: ["p"] }, found: [["PatientID", 1]], unknown: [EVIL, "1.2.3"] }),
    fetch: () => ({}),
  };
  return model;
}

const rest = (ms = 90): Promise<void> => new Promise((r) => setTimeout(r, ms));
let el: HTMLElement;
const all = (selector: string): HTMLElement[] => [...el.querySelectorAll<HTMLElement>(selector)];
const one = (selector: string): HTMLElement => el.querySelector<HTMLElement>(selector)!;
const group = (name: string): HTMLElement => one(`[role=group][aria-label="${name}"]`);
const rows = (name: string): string[] =>
  [...group(name).querySelectorAll<HTMLElement>(".idc-value:not([hidden])")].map((e) => e.textContent!.replace(/\s+/g, " ").replace("⋯", "").trim());
const button = (name: string): HTMLButtonElement => all("button").find((b) => (b.getAttribute("aria-label") ?? b.textContent) === name) as HTMLButtonElement;
const key = (target: Element, name: string, more: KeyboardEventInit = {}): boolean =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }));

beforeEach(() => {
  el = document.createElement("div");
  document.body.append(el);
});
afterEach(() => {
  el.remove();
  vi.restoreAllMocks();
});

async function draw(model: FakeModel): Promise<() => void> {
  const stop = widget().render({ model, el });
  await vi.waitFor(() => expect(one(".idc-value:not([hidden])")).not.toBeNull(), 3000);
  await rest();
  if (model.answers.facet) await vi.waitFor(() => expect(el.textContent).not.toContain("Counting…"), 3000);
  return stop;
}

describe("values", () => {
  it("show their count now and in all", async () => {
    const model = await make();
    const stop = await draw(model);
    expect(one(".idc-panel").className).toContain("idc-unfiltered");
    group("Modality").querySelector<HTMLElement>(".idc-value")!.click();
    expect(rows("Collection")).toEqual(["nlst National Lung Screening Trial 10 / 10", `${EVIL} ${EVIL} 0 / 6`]);
    await rest(10);
    expect(one(".idc-panel").className).not.toContain("idc-unfiltered");
    expect(group("Collection").querySelector(".idc-bars-all")!.getAttribute("d")).toContain("M");
    stop();
  });

  it("are included, excluded, alone, described and copied by keyboard", async () => {
    const model = await make();
    const stop = await draw(model);
    const first = (): HTMLElement => group("Collection").querySelector<HTMLElement>(".idc-value")!;
    first().focus();
    key(first(), "x");
    await rest(10);
    expect(model.state._where).toEqual([{ op: "not", arg: { op: "in", column: "collection_id", values: ["nlst"] } }]);
    key(document.activeElement!, "o");
    await rest(10);
    expect(model.state._where).toEqual([{ op: "in", column: "collection_id", values: ["nlst"] }]);
    key(document.activeElement!, "m");
    await rest(10);
    expect(all("[role=menuitem]").map((e) => e.firstChild!.textContent)).toEqual(["No longer include", "Exclude", "Only this", "About nlst…", "Copy value"]);
    await vi.waitFor(() => expect(document.activeElement!.textContent).toContain("No longer include"));
    key(document.activeElement!, "ArrowDown");
    expect(document.activeElement!.textContent).toContain("Exclude");
    (document.activeElement as HTMLElement).click();
    await rest(10);
    expect(model.state._where).toEqual([{ op: "not", arg: { op: "in", column: "collection_id", values: ["nlst"] } }]);
    expect(one("[role=menu]")).toBeNull();
    stop();
  });

  it("undo and redo by keyboard, but not where text is typed", async () => {
    const model = await make();
    const stop = await draw(model);
    const value = group("Modality").querySelector<HTMLElement>(".idc-value")!;
    value.click();
    await rest(10);
    expect(button("Undo").getAttribute("aria-disabled")).toBe("false");
    key(one(".idc-search input"), "z", { ctrlKey: true });
    expect(model.state._where).toHaveLength(1);
    key(value, "z", { ctrlKey: true });
    await rest(10);
    expect(model.state._where).toEqual([]);
    key(value, "Z", { ctrlKey: true, shiftKey: true });
    await rest(10);
    expect(model.state._where).toHaveLength(1);
    stop();
  });
});

describe("facets of the kernel", () => {
  it("say that they are on their way, and only the newest question counts", async () => {
    const model = await make();
    delete model.answers.facet;
    const stop = await draw(model);
    expect(group("Model").textContent).toContain("Counting…");
    const asked = (): Record<string, unknown>[] => model.sent.filter((m) => m.op === "facet");
    expect(asked()).toHaveLength(1);
    const answer = (name: string): object => ({ kind: "text", values: [name], counts: [1], totals: [2], distinct: 1, matching: 1 });
    model.reply(model.sent.indexOf(asked()[0]!), answer("Skyra"));
    await rest();
    expect(rows("Model")).toEqual(["Skyra 1 / 2"]);
    // Two clicks while it does not answer: one question, of the last state; the old counts are no longer shown as current.
    const [ct, mr] = [...group("Modality").querySelectorAll<HTMLElement>(".idc-value")];
    ct!.click();
    await rest();
    mr!.click();
    await rest();
    expect(group("Model").querySelector(".idc-on-its-way")).not.toBeNull();
    expect(asked()).toHaveLength(2);
    model.reply(model.sent.indexOf(asked()[1]!), answer("stale"));
    await rest();
    expect(rows("Model")).toEqual(["Skyra 1 / 2"]);
    expect(asked()).toHaveLength(3);
    expect(asked()[2]!.where).toEqual([{ op: "in", column: "Modality", values: ["CT", "MR"] }]);
    model.reply(model.sent.indexOf(asked()[2]!), answer("Prisma"));
    await rest();
    expect(rows("Model")).toEqual(["Prisma 1 / 2"]);
    expect(group("Model").querySelector(".idc-on-its-way")).toBeNull();
    stop();
    expect(model.heard).toBe(0);
  });

  it("do not ask again for a tick of their own", async () => {
    const model = await make();
    const stop = await draw(model);
    const asked = (): number => model.sent.filter((m) => m.op === "facet").length;
    const before = asked();
    group("Model").querySelector<HTMLElement>(".idc-value")!.click();
    await rest(150);
    expect(asked()).toBe(before);
    stop();
  });

  it("tell of a table that is not here, fetch it when asked, and say why it cannot be had", async () => {
    const model = await make({ added: [{ name: "ct_index.KVP", label: "KVP (CT)", description: "" }] });
    const plain = model.answers.facet!;
    let here = false;
    model.answers.facet = (m) => (m.column === "ct_index.KVP" && !here ? { lacking: { table: "ct_index", host: "github.com", folder: "/c" } } : plain(m));
    const stop = await draw(model);
    expect(group("KVP (CT)").textContent).toContain("not on this machine");
    expect(model.sent.some((m) => m.op === "fetch")).toBe(false); // never by itself
    button("Fetch it").click();
    model.emit("msg:custom", { event: "fetch", table: "ct_index", done: 2e6, total: 8e6 });
    await rest();
    expect(group("KVP (CT)").textContent).toContain("2.00 MB of 8.00 MB");
    model.emit("msg:custom", { event: "fetch", table: "ct_index", here: false, error: `No network: ${EVIL}` });
    await rest();
    expect(group("KVP (CT)").querySelector("[role=alert]")!.textContent).toBe(`No network: ${EVIL}`);
    here = true;
    button("Try again").click();
    model.emit("msg:custom", { event: "fetch", table: "ct_index", here: true, error: "" });
    await rest(200);
    expect(rows("KVP (CT)")[0]).toContain("Skyra");
    button("Take KVP (CT) off the panel").click();
    await rest();
    expect((model.state._panel as { added: unknown[] }).added).toEqual([]);
    stop();
  });
});

it("offers without a kernel only what works, and says once what does not", async () => {
  const preset = (label: string, op: string): object => ({ name: label, label, where: [op === "in" ? { op, column: "Modality", values: ["CT"] } : { op, text: "x" }] });
  const model = await make({ added: [{ name: "ct_index.KVP", label: "KVP (CT)", description: "" }] });
  Object.assign(model.state._catalog as object, { presets: [preset("CT alone", "in"), preset("With x", "search")] });
  model.state._where = [{ op: "in", column: "ManufacturerModelName", values: ["Skyra"] }];
  model.answers.cube = (m) => ({ ...(model.state._cube as object), outside: m.outside });
  const stop = await draw(model);
  const said = (): number => one(".idc-panel").textContent!.split("running kernel").length - 1;
  const needy = ["Code of this cohort", "Filter by a list of UIDs", " Add a filter…", "Edit Model Skyra"];
  for (const name of needy) expect(button(name), name).toBeDefined();
  expect(said()).toBe(0);
  const asked = model.sent.length;
  el.classList.add("jupyter-widgets-disconnected"); // as ipywidgets marks it
  model.emit("comm_live_update");
  await rest(150);
  expect(said()).toBe(1);
  expect(one(".idc-no-kernel").textContent).toContain("run the cell again");
  for (const name of needy) expect(button(name), name).toBeUndefined();
  for (const name of ["Model", "KVP (CT)"]) {
    const fold = group(name).querySelector<HTMLElement>(".idc-fold")!;
    fold.click();
    await rest(20);
    expect(fold.getAttribute("aria-disabled")).toBe("true");
    expect(fold.getAttribute("aria-expanded")).toBe("false");
    expect(group(name).querySelector("[role=alert]")).toBeNull();
  }
  expect(group("Model").textContent).toContain("1"); // its condition is told
  // What the counts that are here can answer still works.
  expect(["CT alone", "With x"].map((name) => button(name).getAttribute("aria-disabled"))).toEqual(["false", "true"]);
  button("CT alone").click();
  await rest(20);
  expect(rows("Modality")[0]).toContain("CT");
  expect((model.state._where as unknown[]).length).toBe(2);
  const nlst = group("Collection").querySelector<HTMLElement>(".idc-value")!;
  key(nlst, "i");
  await rest(20);
  expect(one("dialog")).toBeNull();
  key(nlst, "m");
  await rest(20);
  expect(all("[role=menuitem]").map((e) => e.firstChild!.textContent)).toEqual(["Include", "Exclude", "Only this", "Copy value"]);
  expect(model.sent.length).toBe(asked);
  stop();
});

it("remembers what is folded, open and added", async () => {
  const model = await make({ folded: ["Modality"], added: [{ name: "SeriesNumber", label: "Series number", description: EVIL }] });
  const stop = await draw(model);
  expect(group("Modality").querySelector(".idc-value")).toBeNull();
  expect(group("Series number")).not.toBeNull();
  group("Modality").querySelector<HTMLElement>(".idc-fold")!.click();
  group("Collection").querySelector<HTMLElement>(".idc-fold")!.click();
  await rest();
  expect((model.state._panel as { folded: string[] }).folded).toEqual(["collection_id"]);
  stop();
  const again = await draw(model);
  expect(group("Collection").querySelector(".idc-value")).toBeNull();
  expect(group("Modality").querySelector(".idc-value")).not.toBeNull();
  again();
});

it("leads from a chip to its facet, unfolds it once, and leaves it alone then", async () => {
  const model = await make({ folded: ["collection_id"] });
  model.state._where = [{ op: "in", column: "collection_id", values: ["nlst"] }];
  const stop = await draw(model);
  button("Edit Collection nlst").click();
  await vi.waitFor(() => expect(document.activeElement!.getAttribute("role")).toBe("checkbox"), 3000);
  expect(document.activeElement!.textContent).toContain("nlst");
  group("Collection").querySelector<HTMLElement>(".idc-fold")!.click();
  await rest(200);
  expect(group("Collection").querySelector(".idc-value")).toBeNull(); // the wish is not granted again
  stop();
});

it("adds a column found by its description, and fetches its table since that was said", async () => {
  const model = await make();
  const stop = await draw(model);
  all("button").find((b) => b.textContent!.includes("Add a filter"))!.click();
  await rest();
  const box = one('input[aria-label="Search columns"]') as HTMLInputElement;
  box.value = "kilo";
  box.dispatchEvent(new Event("input", { bubbles: true }));
  await rest();
  expect(all(".idc-column").map((e) => e.textContent)).toEqual(["KVP KVPPeak kilo voltage"]);
  expect(one(".idc-columns").textContent).toContain("fetched once from github.com");
  all(".idc-column")[0]!.click();
  await rest();
  expect(model.state._panel).toMatchObject({ added: [{ name: "ct_index.KVP", label: "KVP (CT)" }] });
  expect(model.sent.filter((m) => m.op === "fetch").map((m) => m.table)).toEqual(["ct_index"]);
  expect(group("KVP (CT)")).not.toBeNull();
  stop();
});

it("keeps an Enter pressed before the list of columns is there", async () => {
  const model = await make();
  const answer = model.answers.columns!;
  delete model.answers.columns;
  const stop = await draw(model);
  const open = async (): Promise<HTMLInputElement> => {
    button(" Add a filter…").click();
    await rest();
    return one('input[aria-label="Search columns"]') as HTMLInputElement;
  };
  const type = (box: HTMLInputElement, text: string): void => {
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const come = async (): Promise<void> => {
    model.reply(model.sent.map((m) => m.op).lastIndexOf("columns"), answer({}));
    await rest();
  };
  let box = await open();
  type(box, "number");
  key(box, "Enter");
  await rest(10);
  expect(one("dialog").textContent).toContain("then the first that fits is added");
  await come();
  expect(one("dialog")).toBeNull();
  expect(model.state._panel).toMatchObject({ added: [{ name: "SeriesNumber" }] });
  // Typed on, it was not meant; where nothing fits, the dialog stays and says so.
  box = await open();
  type(box, "k");
  key(box, "Enter");
  type(box, "ki");
  await come();
  expect(one("dialog")).not.toBeNull();
  type(box, "nowhere");
  key(box, "Enter");
  await rest(10);
  expect(one("dialog").textContent).toContain("No column has these words");
  type(box, "kilo");
  await rest(10);
  key(box, "Enter");
  await rest();
  expect((model.state._panel as { added: { name: string }[] }).added.map((a) => a.name)).toEqual(["SeriesNumber", "ct_index.KVP"]);
  stop();
});

it("makes a pasted list a condition and says what nobody knows", async () => {
  const model = await make();
  const stop = await draw(model);
  const input = one(".idc-search input");
  const data = { getData: () => "p\n1.2.3\nq" };
  const event = Object.assign(new Event("paste", { bubbles: true, cancelable: true }), { clipboardData: data });
  expect(input.dispatchEvent(event)).toBe(false);
  await rest();
  expect(model.state._where).toEqual([{ op: "in", column: "PatientID", values: ["p"] }]);
  expect(one(".idc-list-result").textContent).toContain("2 entries of the list are unknown in IDC v25");
  button("Show them").click();
  await rest();
  expect((one("dialog textarea") as HTMLTextAreaElement).value).toBe(`${EVIL}\n1.2.3`);
  model.set("_where", []);
  await rest();
  expect(one(".idc-list-result")).toBeNull();
  // Words are words.
  const words = Object.assign(new Event("paste", { bubbles: true, cancelable: true }), { clipboardData: { getData: () => "prostate t2" } });
  expect(input.dispatchEvent(words)).toBe(true);
  stop();
});

it("says why nothing of a list is known, offers near names, and is silent beside a later search", async () => {
  const model = await make();
  const asked: string[] = [];
  model.answers.identify = (m) => {
    asked.push(String(m.text));
    return m.text === "lidc-idri-1001\nx"
      ? { condition: null, found: [], unknown: ["lidc-idri-1001", "x"], reasons: ["no patient", "no name"], near: { "lidc-idri-1001": ["LIDC-IDRI-1001"] }, notes: [] }
      : { condition: { op: "in", column: "PatientID", values: ["LIDC-IDRI-1001"] }, found: [["PatientID", 1]], unknown: ["x"], reasons: ["no name"], near: {}, notes: ["A note."] };
  };
  const stop = await draw(model);
  const paste = (text: string): void => {
    const event = Object.assign(new Event("paste", { bubbles: true, cancelable: true }), { clipboardData: { getData: () => text } });
    one(".idc-search input").dispatchEvent(event);
  };
  paste("lidc-idri-1001\nx");
  await rest();
  expect(one(".idc-list-result").textContent).toContain("None of the 2 entries is known in IDC v25.");
  expect(model.state._where).toEqual([]);
  button("Use “LIDC-IDRI-1001”").click();
  await rest();
  expect(asked.at(-1)).toBe("LIDC-IDRI-1001\nx");
  expect(model.state._where).toEqual([{ op: "in", column: "PatientID", values: ["LIDC-IDRI-1001"] }]);
  expect(one(".idc-list-result").textContent).toContain("1 entry of the list is unknown in IDC v25: no name; the others are a filter now. A note.");
  model.set("_where", []);
  await rest();
  paste("lidc-idri-1001\nx");
  await rest();
  expect(one(".idc-list-result")).not.toBeNull();
  model.set("_where", [{ op: "search", text: "liver" }]);
  await rest();
  expect(one(".idc-list-result")).toBeNull();
  stop();
});

it("suggests while typing, and puts the value in place of the words", async () => {
  const model = await make();
  const stop = await draw(model);
  const input = one(".idc-search input") as HTMLInputElement;
  input.value = "screening";
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await rest(10);
  expect(all("[role=option]").map((e) => e.textContent)).toEqual(["Collectionnlst National Lung Screening Trial10"]);
  key(input, "ArrowDown");
  await rest(10);
  expect(input.getAttribute("aria-activedescendant")).toBe(one("[role=option]").id);
  key(input, "Enter");
  await rest(400);
  expect(model.state._where).toEqual([{ op: "in", column: "collection_id", values: ["nlst"] }]);
  expect(all("[role=option]")).toHaveLength(0);
  stop();
});

it("lets the kernel look for the words typed so far, and searches after a pause", async () => {
  const model = await make();
  const stop = await draw(model);
  const input = one(".idc-search input") as HTMLInputElement;
  for (const text of ["che", "chest", "chest ", "chest c", "chest ct", "chest ct lung"]) {
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await rest(10);
  }
  expect(model.sent.filter((m) => m.op === "words").map((m) => m.text)).toEqual(["chest", "chest ct"]);
  expect(model.state._where).toEqual([]);
  await rest(120);
  expect(model.sent.filter((m) => m.op === "words").map((m) => m.text)).toEqual(["chest", "chest ct", "chest ct lung"]);
  expect(model.state._where).toEqual([]);
  await rest(400);
  expect(model.state._where).toEqual([{ op: "search", text: "chest ct lung" }]);
  stop();
});

it("shows hostile text as text in every dialog", async () => {
  const model = await make();
  const stop = await draw(model);
  const see = async (open: () => void, ...where: string[]): Promise<void> => {
    open();
    await rest();
    for (const selector of where) expect(all(selector).map((e) => e instanceof HTMLTextAreaElement ? e.value : e.textContent).join("\n"), selector).toContain("<img src=x");
    expect(el.querySelector("img")).toBeNull();
    one("dialog")?.dispatchEvent(new Event("close"));
    await rest(20);
  };
  const evil = [...group("Collection").querySelectorAll<HTMLElement>(".idc-value")].find((e) => e.textContent!.includes("<img"))!;
  await see(() => evil.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true })), "[role=menuitem]");
  await see(() => key(evil, "i"), "dialog h2", "dialog p", "dialog dt", "dialog dd", "dialog a");
  await see(() => button("Code of this cohort").click(), "dialog textarea");
  await see(() => all("button").find((b) => b.textContent!.includes("Add a filter"))!.click(), ".idc-column");
  await see(() => button("What Modality means").click(), ".idc-facet-help");
  expect((window as unknown as { hit?: number }).hit).toBeUndefined();
  stop();
});
