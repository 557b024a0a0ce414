import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/app/index";
import { arrived, Downloads, fractions, paceText, partText, splitPath, stateText, why } from "../src/downloads/jobs";
import { seriesText } from "../src/downloads/list";
import type { Job, SeriesRow } from "../src/kernel/protocol";
import { shortened } from "../src/ui/format";
import { FakeModel } from "./fake";

const job: Job = {
  id: "1", title: "rider_pilot · CT", path: "/home/ada/idc-data", provider: "aws", created: "", state: "running", kind: "downloading",
  reason: null, seconds: null, error: null, workers: 64, bytes_total: 3.12e9, bytes_done: 1.94e9, bytes_in_flight: 9e7, files_total: 10,
  files_done: 4, series_total: 2, series_done: 1, failed: 0, speed: 84e6, eta: 14,
};
const row = (n: number, more: Partial<SeriesRow> = {}): SeriesRow => ({
  SeriesInstanceUID: `1.2.${n}`, path: `/home/ada/idc-data/a/${n}`, below: `a/${n}`, state: "queued", files: 3, files_done: 0, bytes: 3e6,
  bytes_done: 0, bytes_in_flight: 0, reason: null, retry_in: null, ...more,
});

describe("words of a job", () => {
  it("says bytes, pace and state", () => {
    expect(partText(1.94e9, 3.12e9)).toBe("1.94 of 3.12 GB");
    expect(partText(5e8, 3.12e9)).toBe("500 MB of 3.12 GB");
    expect(partText(3e9, 3e9)).toBe("3.00 GB");
    expect(paceText(job)).toEqual({ speed: "84.0 MB/s", left: "14 s left" });
    for (const kind of ["paused", "retrying", "stalled"] as const) expect(paceText({ ...job, kind })).toEqual({ speed: "", left: "" });
  });
  it.each<[Partial<Job>, string, string]>([
    [{ kind: "queued", reason: "4 other downloads are at work" }, "queued", "4 other downloads are at work"],
    [{ kind: "listing" }, "listing files", ""],
    [{ kind: "downloading" }, "downloading", ""],
    [{ kind: "verifying" }, "verifying", ""],
    [{ kind: "retrying", seconds: 12, reason: "SlowDown" }, "waiting to retry in 12 s", "SlowDown"],
    [{ kind: "stalled", seconds: 75, reason: "begun anew after 60 s" }, "stalled, no byte for 1 min", "begun anew after 60 s"],
    [{ kind: "paused" }, "paused", ""],
    [{ kind: "complete" }, "complete, verified", ""],
    [{ kind: "incomplete", failed: 3, error: "1 series incomplete" }, "complete with 3 failures", "1 series incomplete"],
    [{ kind: "incomplete", failed: 1 }, "complete with 1 failure", ""],
    [{ kind: "failed", error: "the disk is full" }, "failed", "the disk is full"],
    [{ kind: "cancelled" }, "cancelled", ""],
  ])("%j", (more, text, reason) => {
    expect(stateText({ ...job, ...more })).toBe(text);
    expect(why({ ...job, ...more })).toBe(reason);
  });
  it("counts bytes in flight in what is shown, and never all before all are verified", () => {
    expect(arrived({ ...job, bytes_done: 0, bytes_in_flight: 1e9 })).toBe(1e9);
    expect(arrived({ ...job, bytes_done: 0, bytes_in_flight: 3.12e9 })).toBe(3.12e9 - 1);
    expect(arrived({ ...job, bytes_done: 1e9, bytes_in_flight: 1e9, state: "paused" })).toBe(1e9);
    expect(arrived({ ...job, state: "complete", bytes_done: 0 })).toBe(3.12e9);
    expect(arrived({ ...job, bytes_total: 0, bytes_done: 0, bytes_in_flight: 5 })).toBe(0);
  });
  it("does not go back when bytes in flight come to nothing, but when the job is paused", () => {
    const downloads = new Downloads(new FakeModel({}));
    expect(downloads.shown({ ...job, bytes_done: 0, bytes_in_flight: 1e9 })).toBe(1e9);
    expect(downloads.shown({ ...job, bytes_done: 0, bytes_in_flight: 0 })).toBe(1e9);
    expect(downloads.shown({ ...job, bytes_done: 2e9, bytes_in_flight: 0 })).toBe(2e9);
    expect(downloads.shown({ ...job, bytes_done: 1e9, bytes_in_flight: 0, state: "paused" })).toBe(1e9);
    expect(downloads.shown({ ...job, bytes_done: 1e9, bytes_in_flight: 0 })).toBe(1e9);
  });
  it("never overfills the bar", () => {
    const f = fractions({ ...job, bytes_done: 3.1e9, bytes_in_flight: 1e9 });
    expect(f.done + f.flight).toBeCloseTo(1, 9);
    expect(fractions({ ...job, bytes_total: 0 })).toEqual({ done: 0, flight: 0 });
    expect(fractions({ ...job, state: "complete", bytes_total: 0 }).done).toBe(1);
  });
  it("keeps the end of paths in sight", () => {
    expect(splitPath("/home/ada/idc-data")).toEqual(["/home/ada", "/idc-data"]);
    expect(splitPath("C:\\Users\\Ada\\data")).toEqual(["C:\\Users\\Ada", "\\data"]);
    expect(splitPath("/data")).toEqual(["", "/data"]);
    expect(shortened("lidc/P-1/1.3.6.1.4.1.14519.5.2.1.6279.6001.1/CT_1.3.6.1.4.1.14519.5.2.1.6279.6001.22", 9)).toBe(
      "lidc/P-1/…79.6001.1/CT_…9.6001.22",
    );
  });
  it("says what a series is at", () => {
    expect(seriesText(row(1, { state: "retrying", retry_in: 4.6 }))).toBe("retry in 5 s");
    expect(seriesText(row(1, { files_done: 1 }))).toBe("to be continued");
    expect(seriesText(row(1))).toBe("queued");
  });
});

const rest = (ms = 60): Promise<void> => new Promise((r) => setTimeout(r, ms));
let el: HTMLElement;
beforeEach(() => {
  el = document.createElement("div");
  document.body.append(el);
});
afterEach(() => {
  el.remove();
  vi.useRealTimers();
  vi.restoreAllMocks();
});
const all = <T extends HTMLElement = HTMLElement>(selector: string): T[] => [...el.querySelectorAll<T>(selector)];
const one = <T extends HTMLElement = HTMLElement>(selector: string): T => el.querySelector<T>(selector)!;
const button = (text: string): HTMLButtonElement =>
  all<HTMLButtonElement>("button").find((b) => b.textContent!.includes(text) || b.getAttribute("aria-label")?.includes(text))!;
const press = (key: string): boolean => document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

function panel(jobs: Job[], past: Job[] = [], ended = past.length) {
  const model = new FakeModel({ _view: "downloads", _jobs: jobs, _past: past, _ended: ended });
  const stop = widget().render({ model, el });
  return { model, stop };
}

describe("the download panel", () => {
  it("stands alone, and says what it is for while there is nothing", async () => {
    const { model, stop } = panel([]);
    await rest();
    expect(one("[role=region]").textContent).toContain("No downloads yet.");
    model.set("_jobs", [job]);
    await rest();
    expect(one("[role=progressbar]").getAttribute("aria-valuetext")).toBe("downloading, 2.03 of 3.12 GB, 4 of 10 files, 84.0 MB/s, 14 s left");
    expect(one(".idc-job-folder").textContent).toBe("/home/ada/idc-data");
    stop();
    expect(model.heard).toBe(0);
  });

  it("asks whether to keep what came before it cancels; Escape goes on", async () => {
    const { model, stop } = panel([job]);
    model.answers.cancel = () => ({});
    await rest();
    button("Cancel rider_pilot").click();
    await rest();
    expect(one("[role=alertdialog]").textContent).toContain("1 of 2 series are complete");
    expect(document.activeElement!.textContent).toBe("Go on"); // nothing is lost by a hasty Enter
    press("Escape");
    await rest();
    expect(one("[role=alertdialog]")).toBeNull();
    expect(document.activeElement!.getAttribute("aria-label")).toContain("Cancel");
    expect(model.sent).toEqual([]);
    button("Cancel rider_pilot").click();
    await rest();
    button("Cancel and delete them").click();
    await rest();
    button("Cancel rider_pilot").click();
    await rest();
    button("Cancel, keep those").click();
    await rest();
    expect(model.sent.map((m) => [m.op, m.job, m.keep])).toEqual([["cancel", "1", false], ["cancel", "1", true]]);
    stop();
  });

  it("lists a hundred thousand series by the rows in view, by keyboard too", async () => {
    const { model, stop } = panel([job]);
    const counts = { queued: 99_000, active: 900, complete: 99, failed: 1 };
    model.answers.series = (m) => ({
      counts, rows: Array.from({ length: m.limit as number }, (_, i) => row((m.offset as number) + i, { state: m.state === "failed" ? "failed" : "queued" })),
    });
    model.answers.next = () => ({});
    await rest();
    button("Series of rider_pilot").click();
    await vi.waitFor(() => expect(all("[role=option]").length).toBe(8));
    const list = one("[role=listbox]");
    expect(one("[role=option]").getAttribute("aria-setsize")).toBe("100000");
    list.focus();
    press("End");
    await vi.waitFor(() => expect(one("[role=option][aria-selected=true]").textContent).toContain("a/99999"));
    expect(list.getAttribute("aria-activedescendant")).toBe(one("[aria-selected=true]").id);
    expect(all("[role=option]").length).toBeLessThan(12);
    expect(Math.max(...model.sent.map((m) => Number(m.limit ?? 0)))).toBeLessThanOrEqual(200);
    press("Home");
    await vi.waitFor(() => expect(one(".idc-chosen").textContent).toContain("/home/ada/idc-data/a/0"));
    button("Fetch this next").click();
    await rest();
    expect(model.sent.filter((m) => m.op === "next")).toMatchObject([{ job: "1", series: "1.2.0" }]);
    model.answers.failures = () => ({ failures: [{ key: "s3://b/k", SeriesInstanceUID: "1.2.0", reason: "not there (404)" }], more: 0 });
    button("Failed 1").click();
    await vi.waitFor(() => expect(all("[role=option]").length).toBe(1));
    one("[role=option]").click();
    await vi.waitFor(() => expect(one(".idc-reasons").textContent).toContain("not there (404)"));
    stop();
  });

  it("changes the number of workers, and refuses what is none", async () => {
    const { model, stop } = panel([job]);
    model.answers.workers = () => ({});
    await rest();
    button("Series of").click();
    await rest();
    const field = one<HTMLInputElement>("input[type=number]");
    const type = (text: string): void => {
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    type("0");
    await rest(10);
    expect(button("1 to 512").getAttribute("aria-disabled")).toBe("true");
    type("16");
    await rest(10);
    button("Set").click();
    await rest();
    expect(model.sent.filter((m) => m.op === "workers")).toMatchObject([{ job: "1", workers: 16 }]);
    stop();
  });

  it("shows no speed as current once the kernel is silent or gone", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { model, stop } = panel([job]);
    await vi.advanceTimersByTimeAsync(50);
    expect(el.textContent).toContain("84.0 MB/s");
    model.set("_beat", 2);
    await vi.advanceTimersByTimeAsync(7000);
    expect(el.textContent).toContain("84.0 MB/s");
    await vi.advanceTimersByTimeAsync(2000);
    expect(el.textContent).not.toContain("84.0 MB/s");
    expect(one(".idc-old-note").textContent).toMatch(/^As of .*when the kernel was last heard/);
    model.set("_beat", 3);
    await vi.advanceTimersByTimeAsync(50);
    expect(el.textContent).toContain("84.0 MB/s");
    expect(one(".idc-old-note")).toBeNull();
    model.send = () => {
      throw new Error("comm is closed");
    };
    button("Pause").click();
    await vi.advanceTimersByTimeAsync(50);
    expect(el.textContent).not.toContain("84.0 MB/s");
    expect(button("Pause").getAttribute("aria-disabled")).toBe("true");
    stop();
  });

  it("folds thousands of ended jobs, fetches them as they are wanted, and puts them away", async () => {
    const ended = (n: number): Job => ({ ...job, id: `e${n}`, title: `job ${n}`, state: "complete", kind: "complete" });
    const { model, stop } = panel([], Array.from({ length: 20 }, (_, n) => ended(n)), 2000);
    model.answers.history = (m) => Array.from({ length: m.limit as number }, (_, n) => ended((m.offset as number) + n));
    model.answers.away = () => ({});
    await rest();
    expect(all("[role=progressbar]").length).toBe(8);
    button("1,992 earlier downloads").click();
    await vi.waitFor(() => expect(all("[role=progressbar]").length).toBe(58));
    expect(all(".idc-job-title").map((e) => e.textContent)).toEqual(Array.from({ length: 58 }, (_, n) => `job ${n}`));
    expect(model.sent).toMatchObject([{ op: "history", offset: 20 }]);
    button("Remove from view job 0").click();
    await rest();
    button("Clear the 2,000").click();
    await rest();
    expect(model.sent.filter((m) => m.op === "away").map((m) => m.jobs)).toEqual([["e0"], []]);
    stop();
  });

  it("copies where it may, and selects where it may not", async () => {
    const { model, stop } = panel([{ ...job, state: "paused", kind: "paused" }]);
    model.answers.code = () => [{ label: "pydicom", text: "import pydicom" }, { label: "Command line", text: "idc-widgets jobs" }];
    await rest();
    button("Series of").click();
    await rest();
    const written = vi.fn(() => Promise.resolve());
    document.execCommand = () => false;
    vi.stubGlobal("navigator", { clipboard: { writeText: written } });
    button("Copy path").click();
    await rest();
    expect(written).toHaveBeenCalledWith("/home/ada/idc-data");
    expect(button("Copied")).toBeTruthy();
    vi.stubGlobal("navigator", {});
    button("Code and commands").click();
    await vi.waitFor(() => expect(one(".idc-code")).not.toBeNull());
    button("Command line").click();
    await rest();
    expect(one<HTMLTextAreaElement>(".idc-code").value).toBe("idc-widgets jobs");
    all("button").find((b) => b.textContent === "Copy")!.click();
    await rest();
    expect(el.textContent).toContain("press Ctrl+C");
    vi.unstubAllGlobals();
    stop();
  });
});
