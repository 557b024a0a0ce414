import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Latest, Link } from "../src/kernel/link";
import { Rows } from "../src/table/rows";
import { FakeModel } from "./fake";

let model: FakeModel;
let link: Link;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  model = new FakeModel({});
  link = new Link(model);
  link.connect();
});
afterEach(() => vi.useRealTimers());

describe("link", () => {
  it("matches replies by id, in any order", async () => {
    const a = link.request("x");
    const b = link.request("y");
    model.reply(1, "second");
    model.reply(0, "first");
    expect(await a).toBe("first");
    expect(await b).toBe("second");
  });

  it("hands on the kernel's sentence", async () => {
    const a = link.request("x");
    model.refuse(0, "No such folder.");
    await expect(a).rejects.toThrow("No such folder.");
  });

  it("ignores what others asked, and pushes", () => {
    link.request("x").then(() => expect.unreachable());
    model.emit("msg:custom", { id: "someone-else", ok: true, result: 1 });
    model.emit("msg:custom", { event: "push" });
  });

  it("says that it waits after a second and a half, until the reply", async () => {
    const a = link.request("x");
    vi.advanceTimersByTime(1490);
    expect(link.waiting.value).toBe(false);
    vi.advanceTimersByTime(30);
    expect(link.waiting.value).toBe(true);
    model.reply(0, 1);
    await a;
    expect(link.waiting.value).toBe(false);
  });
});

describe("latest", () => {
  it("asks a busy kernel only the newest question", async () => {
    const got: unknown[] = [];
    const latest = new Latest<number>(link, "totals");
    for (let i = 0; i < 5; i++) latest.ask({ i }, (r) => got.push(r), () => {});
    expect(model.sent.map((m) => m.i)).toEqual([0]);
    model.reply(0, "old");
    await Promise.resolve();
    await Promise.resolve();
    expect(model.sent.map((m) => m.i)).toEqual([0, 4]);
    model.reply(1, "new");
    await Promise.resolve();
    await Promise.resolve();
    expect(got).toEqual(["new"]);
  });

  it("is not blocked for ever by a lost message", () => {
    const latest = new Latest<number>(link, "totals");
    latest.ask({ i: 0 }, () => {}, () => {});
    vi.advanceTimersByTime(6000);
    latest.ask({ i: 1 }, () => {}, () => {});
    expect(model.sent.map((m) => m.i)).toEqual([0, 1]);
  });

  it("drops an answer that is no longer wanted", async () => {
    const latest = new Latest<number>(link, "cube");
    latest.ask({}, () => expect.unreachable(), () => expect.unreachable());
    latest.drop();
    model.reply(0, 1);
    await Promise.resolve();
    await Promise.resolve();
  });
});

describe("rows", () => {
  const query = (column = "a") => ({ where: [], sort: [], columns: [column], level: "series" as const, only: null });
  const page = (offset: number, total = 1000) => ({
    total,
    rows: Array.from({ length: Math.min(100, total - offset) }, (_, i) => [offset + i, `v${offset + i}`]),
  });
  const want = (rows: Rows, first: number, end: number): void => {
    rows.want(first, end, false);
    vi.advanceTimersByTime(1);
  };
  const flush = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };

  it("asks for aligned blocks: in view first, then neighbours, never more than two at once", async () => {
    const rows = new Rows(link);
    rows.ask(query());
    want(rows, 250, 270);
    expect(model.sent.map((m) => m.offset)).toEqual([200, 300]);
    model.reply(0, page(200));
    await flush();
    expect(rows.at(255)?.row).toEqual([255, "v255"]);
    expect(rows.at(150)).toBeNull();
    expect(model.sent.map((m) => m.offset)).toEqual([200, 300, 400]);
    want(rows, 251, 271);
    expect(model.sent.length).toBe(3);
    model.reply(1, page(300));
    await flush();
    expect(model.sent.map((m) => m.offset)).toEqual([200, 300, 400, 100]);
    // Upwards, the rows above come first.
    model.reply(2, page(400));
    model.reply(3, page(100));
    await flush();
    want(rows, 150, 170);
    expect(model.sent.at(-1)?.offset).toBe(0);
  });

  it("shows the rows before as stale until the new ones are here, and drops late pages", async () => {
    const rows = new Rows(link);
    rows.ask(query());
    want(rows, 0, 20);
    model.reply(0, page(0));
    await flush();
    rows.ask({ ...query(), where: [{ op: "search", text: "x" }] });
    expect(rows.at(3)).toEqual({ row: [3, "v3"], stale: true });
    want(rows, 0, 20);
    model.reply(1, page(100)); // of the question before
    model.reply(2, page(200)); // and another
    await flush();
    expect(rows.at(3)?.stale).toBe(true);
    const newest = model.sent.findIndex((m) => (m.where as unknown[]).length === 1 && m.offset === 0);
    model.reply(newest, { total: 1, rows: [[77, "new"]] });
    await flush();
    expect(rows.at(0)).toEqual({ row: [77, "new"], stale: false });
    expect(rows.at(3)).toBeNull();
    expect(rows.total.value).toBe(1);
  });

  it("waits until a dragged bar rests", () => {
    const rows = new Rows(link);
    rows.ask(query());
    for (let i = 0; i < 50; i++) rows.want(i * 1000, i * 1000 + 20, true);
    expect(model.sent.length).toBe(0);
    vi.advanceTimersByTime(100);
    expect(model.sent.map((m) => m.offset)).toEqual([49_000, 49_100]);
  });

  it("says what went wrong and asks again only when told to", async () => {
    const rows = new Rows(link);
    rows.ask(query());
    want(rows, 0, 20);
    model.refuse(0, "No network.");
    await flush();
    expect(rows.error.value).toBe("No network.");
    const before = model.sent.length;
    want(rows, 0, 20);
    expect(model.sent.length).toBe(before);
    rows.retry();
    expect(model.sent.length).toBeGreaterThan(before);
  });
});
