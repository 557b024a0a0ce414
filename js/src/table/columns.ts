// How wide each column is: all of them readable, all of the width used.

import type { Column } from "../kernel/protocol";

export const TICK_WIDTH = 36;
const LETTER = 7.2; // a header letter, on average, in a wide font
const PADDING = 12;
/** The first column of groups: their names, and indented below them what they hold. */
const NAMES = { least: 140, ideal: 190, scrolled: 216 };

/** Widths that suit IDC's usual columns; others take a guess by type. */
const IDEAL: Readonly<Record<string, number>> = {
  collection_id: 132,
  cancer_types: 150,
  PatientID: 126,
  PatientSex: 52,
  PatientAge: 60,
  StudyDate: 94,
  Modality: 80,
  BodyPartExamined: 104,
  SeriesDescription: 176,
  StudyDescription: 160,
  StudyInstanceUID: 112,
  SeriesInstanceUID: 112,
  license_short_name: 100,
};

/** Columns whose texts say nothing when cut to the width of their header. */
const LEAST: Readonly<Record<string, number>> = {
  collection_id: 84, PatientID: 82, SeriesDescription: 92, StudyDescription: 92, StudyInstanceUID: 92, SeriesInstanceUID: 92,
  license_short_name: 66, instanceCount: 62, collection_name: 84, cancer_types: 112,
};

const BY_TYPE: Readonly<Record<Column["type"], number>> = { text: 130, integer: 68, number: 84, date: 94, bytes: 78 };

export const numeric = (c: Column): boolean => c.type === "integer" || c.type === "number" || c.type === "bytes";

/** Whether the rows are groups of series. */
const grouped = (columns: readonly Column[]): boolean => columns.some((c) => c.name === "series");

/** The least that shows the whole header, and of numbers every digit. */
export function least(c: Column): number {
  if (/Description$/.test(c.name)) return LEAST[c.name] ?? 92; // the longest texts, and their headers say little
  const content = c.type === "date" ? 84 : c.type === "bytes" ? 66 : (LEAST[c.name] ?? 0);
  return Math.max(content, Math.ceil(c.label.length * LETTER) + PADDING);
}

/** Texts that gain from room; a series has one modality, a patient several. */
const elastic = (c: Column, columns: readonly Column[]): boolean =>
  c.type === "text" && (c.name !== "Modality" || grouped(columns));

/**
 * Widths in pixels: text columns stretch and shrink so that all fill `available`, none below its header; those that a
 * person set stay as they are.
 */
export function fit(columns: readonly Column[], available: number, set: Readonly<Record<string, number>> = {}): number[] {
  const groups = grouped(columns);
  // Images of a collection run to eight digits.
  const wide = (c: Column, i: number): number => (!groups ? 0 : i === 0 ? NAMES.least : c.name === "instanceCount" ? 86 : 0);
  const low = columns.map((c, i) => set[c.name] ?? Math.max(least(c), wide(c, i)));
  const ideal = columns.map((c, i) => set[c.name] ?? Math.max(low[i]!, groups && i === 0 ? NAMES.ideal : (IDEAL[c.name] ?? BY_TYPE[c.type])));
  const room = available - TICK_WIDTH;
  const spare = room - ideal.reduce((a, b) => a + b, 0);
  if (spare >= 0) {
    // Descriptions gain most from room: they are the longest.
    const weight: number[] = columns.map((c, i) => (elastic(c, columns) && set[c.name] === undefined ? (/Description$|_types$/.test(c.name) || (groups && i === 0) ? 3 : 1) : 0));
    const all = weight.reduce((a, b) => a + b, 0);
    if (!all) return ideal;
    const widths = ideal.map((w, i) => w + Math.floor((spare * weight[i]!) / all));
    const last = weight.reduce((at, w, i) => (w > 0 ? i : at), 0);
    widths[last]! += room - widths.reduce((a, b) => a + b, 0);
    return widths;
  }
  // Too narrow for all of them even so: it scrolls sideways, and then nothing need be tight.
  if (room < low.reduce((a, b) => a + b, 0)) {
    return ideal.map((w, i) => (groups && i === 0 && set[columns[0]!.name] === undefined ? NAMES.scrolled : w));
  }
  const give = ideal.map((w, i) => w - low[i]!);
  const share = -spare / Math.max(1, give.reduce((a, b) => a + b, 0));
  return ideal.map((w, i) => Math.floor(w - give[i]! * share));
}

/** Whether columns had to give room: their texts are then set smaller, so that figures and dates still fit. */
export const tight = (columns: readonly Column[], widths: readonly number[]): boolean =>
  columns.some((c, i) => widths[i]! < (c.type === "text" ? 0 : BY_TYPE[c.type]) && widths[i]! <= least(c) + 8);
