import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/app/index";
import { conceal, isLive, markLive, reveal } from "../src/app/neighbours";
import { GONE } from "../src/kernel/link";
import { SavedModel } from "../src/saved_view/model";
import { keepNotebookKeysAway, onShortcut } from "../src/ui/shortcuts";
import { FakeModel } from "./fake";

const WHERE = [{ op: "in", column: "Modality", values: ["CT"] }];
const ROWS = Array.from({ length: 130 }, (_, i) => [i, `row ${i}`]);
const saved = () =>
  new SavedModel({ _where: WHERE }, { page: { request: { where: WHERE, sort: [], columns: ["x"] }, result: { rows: ROWS } }, totals: { series: 7 } });

const ask = (model: SavedModel, message: Record<string, unknown>): Promise<Record<string, unknown>> =>
  new Promise((done) => {
    model.on("msg:custom", (m) => done(m));
    model.send({ id: "1", ...message });
  });

describe("the model of a saved view", () => {
  it("answers with the rows and totals that were saved, and with no more rows than those", async () => {
    const page = { op: "page", where: WHERE, sort: [], columns: ["x"], limit: 100 };
    expect(await ask(saved(), { ...page, offset: 0 })).toMatchObject({ ok: true, result: { total: 130, rows: ROWS.slice(0, 100) } });
    expect(await ask(saved(), { ...page, offset: 100 })).toMatchObject({ ok: true, result: { total: 130, rows: ROWS.slice(100) } });
    expect(await ask(saved(), { op: "totals", where: WHERE })).toMatchObject({ ok: true, result: { series: 7 } });
  });

  it("says of everything else that it needs a kernel", async () => {
    for (const message of [
      { op: "page", columns: ["x"], where: [], sort: [], offset: 0, limit: 100 },
      { op: "page", columns: ["x"], where: WHERE, sort: [{ column: "x", descending: true }], offset: 0, limit: 100 },
      { op: "totals", where: [] },
      { op: "cube", outside: [] },
      { op: "download" },
    ]) {
      const reply = await ask(saved(), message);
      expect(reply.ok, message.op).toBe(false);
      expect(reply.error).toContain("run the cell again");
    }
  });

  it("saves the filters when they come back to those it was saved with", async () => {
    const model = saved();
    model.set("_where", []);
    expect(await ask(model, { op: "totals", where: WHERE })).toMatchObject({ ok: true });
  });
});

let el: HTMLElement;
beforeEach(() => {
  el = document.createElement("div");
  document.body.append(el);
});
afterEach(() => {
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

describe("a live view and its saved copy", () => {
  it("stand in each other's place", () => {
    const copy = document.createElement("div");
    copy.dataset.idcSaved = "a1b2";
    const failed = document.createElement("div");
    document.body.append(copy, failed);
    conceal(failed, "a1b2");
    expect(isLive("a1b2")).toBe(false);
    markLive(el, "a1b2");
    expect(isLive("a1b2")).toBe(true);
    expect(copy.style.display).toBe("none");
    expect(failed.style.display).toBe("");
    reveal(copy);
    expect(copy.style.display).toBe("");
  });
});

describe("a lost kernel", () => {
  it("is told by itself, and whoever waits hears of it", async () => {
    const model = new FakeModel({ _view: "downloads", _jobs: [], _shared: null });
    const stop = widget().render({ model, el });
    expect(el.querySelector(".idc-kernel")).toBeNull();
    el.className = "jupyter-widgets-disconnected"; // as ipywidgets marks it
    model.emit("comm_live_update");
    await vi.waitFor(() => expect(el.querySelector(".idc-kernel")!.textContent).toContain("run the cell again"));
    stop();
    expect(model.heard).toBe(0);
    expect(GONE).toContain("Run the cell again");
  });

  it("is heard of from JupyterLab's kernel, and not any more after the view has gone", () => {
    const slots = new Set<() => void>();
    const signal = { connect: (f: () => void) => slots.add(f), disconnect: (f: () => void) => slots.delete(f) };
    const kernel = { status: "idle", statusChanged: signal, disposed: { ...signal } };
    const model = new FakeModel({ _view: "downloads", _jobs: [], _shared: null });
    model.widget_manager = { get_model: () => Promise.reject(new Error()), kernel } as never;
    const stop = widget().render({ model, el });
    expect(slots.size).toBe(2);
    stop();
    expect(slots.size).toBe(0);
  });
});

describe("keys", () => {
  it("of the notebook stay away, but for saving it", () => {
    const stop = keepNotebookKeysAway(el);
    const press = (init: KeyboardEventInit): boolean => {
      window.dispatchEvent(new KeyboardEvent("keydown", init));
      return el.hasAttribute("data-lm-suppress-shortcuts");
    };
    expect(press({ key: "d" })).toBe(true);
    expect(press({ key: "s", ctrlKey: true })).toBe(false);
    expect(press({ key: "ArrowDown" })).toBe(true);
    stop();
    el.removeAttribute("data-lm-suppress-shortcuts");
    expect(press({ key: "d" })).toBe(false);
  });

  it("are shortcuts only where nothing is typed and nothing is held", () => {
    const does = vi.fn();
    const input = document.createElement("input");
    const button = document.createElement("button");
    el.append(input, button);
    el.addEventListener("keydown", (e) => onShortcut(e, { "/": does }), true);
    const press = (on: HTMLElement, init: KeyboardEventInit): boolean =>
      on.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init }));
    press(input, { key: "/" });
    press(button, { key: "/", ctrlKey: true });
    press(button, { key: "x" });
    expect(does).not.toHaveBeenCalled();
    expect(press(button, { key: "/" })).toBe(false);
    expect(does).toHaveBeenCalledOnce();
  });
});
