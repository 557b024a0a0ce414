import { describe, expect, it } from "vitest";
import type { Condition } from "../src/cohort/condition";
import type { Ticks } from "../src/kernel/protocol";
import { allOf, headerState, NONE, nothing, TickSet } from "../src/state/ticks";

const WHERE: Condition[] = [{ op: "in", column: "Modality", values: ["CT"] }];
const set = (t: Ticks): TickSet => new TickSet(t);

describe("ticks", () => {
  it("start with nothing", () => {
    expect(nothing(NONE)).toBe(true);
    expect(headerState(NONE, WHERE)).toBe(false);
  });

  it("tick and untick single rows", () => {
    const one = set(NONE).with([5, 6], true, false);
    expect(one).toEqual({ base: null, minus: [], plus: [5, 6] });
    expect(set(one).has(5, false)).toBe(true);
    expect(headerState(one, WHERE)).toBe("mixed");
    expect(set(one).with([5, 6], false, false)).toEqual(NONE);
  });

  it("all that match is a condition; taking one out is a minus", () => {
    const all = allOf(WHERE);
    expect(headerState(all, structuredClone(WHERE))).toBe(true);
    const but = set(all).with([7], false, true);
    expect(but).toEqual({ base: WHERE, minus: [7], plus: [] });
    expect(set(but).has(7, true)).toBe(false);
    expect(set(but).has(8, true)).toBe(true);
    expect(headerState(but, WHERE)).toBe("mixed");
    expect(set(but).with([7], true, true)).toEqual(all);
  });

  it("rows outside the base are added one by one, and the base stays when the filter changes", () => {
    const more = set(allOf(WHERE)).with([9], true, false);
    expect(more).toEqual({ base: WHERE, minus: [], plus: [9] });
    expect(headerState(allOf(WHERE), [])).toBe("mixed");
  });

  it.each([true, false])("a range of which the base is unknown ends up as asked (%s)", (on) => {
    const start: Ticks = { base: WHERE, minus: [1, 2], plus: [3] };
    const end = set(set(start).with([1, 2, 3, 4], on, null));
    for (const row of [1, 2, 3, 4]) for (const inBase of [true, false]) expect(end.has(row, inBase)).toBe(on);
  });
});
