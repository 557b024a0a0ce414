// How wide each column is: all of them readable, all of the width used.

import type { Column } from "../link/protocol";

export const TICK_WIDTH = 38;
const LETTER = 6.8; // a header letter, on average
const PADDING = 16;
const SORT_MARK = 13;

/** Widths that suit IDC's usual columns; others take the catalogue's word or a guess by type. */
const IDEAL: Readonly<Record<string, number>> = {
  collection_id: 132,
  PatientID: 126,
  StudyDate: 96,
  Modality: 86,
  BodyPartExamined: 104,
  SeriesDescription: 176,
  license_short_name: 100,
};

/** Columns whose texts say nothing when cut to the width of their header. */
const LEAST: Readonly<Record<string, number>> = { PatientID: 96, SeriesDescription: 116 };

const BY_TYPE: Readonly<Record<Column["type"], number>> = { text: 130, integer: 72, number: 84, date: 96, bytes: 84 };

export const numeric = (c: Column): boolean => c.type === "integer" || c.type === "number" || c.type === "bytes";

/** The least that shows the whole header with its sort mark. */
export const least = (c: Column): number =>
  Math.max(LEAST[c.name] ?? 0, c.type === "date" ? 92 : c.type === "bytes" ? 80 : 0, Math.ceil(c.label.length * LETTER) + PADDING + SORT_MARK);

const elastic = (c: Column): boolean => c.type === "text" && c.name !== "Modality";

/** Widths in pixels: text columns stretch and shrink so that all fill `available`, none below its header. */
export function fit(columns: readonly Column[], available: number): number[] {
  const low = columns.map(least);
  const ideal = columns.map((c, i) => Math.max(low[i]!, IDEAL[c.name] ?? c.width ?? BY_TYPE[c.type]));
  const room = available - TICK_WIDTH;
  const spare = room - ideal.reduce((a, b) => a + b, 0);
  if (spare >= 0) {
    // Descriptions gain most from room: they are the longest.
    const weight: number[] = columns.map((c) => (elastic(c) ? (/Description$/.test(c.name) ? 3 : 1) : 0));
    const all = weight.reduce((a, b) => a + b, 0);
    if (!all) return ideal;
    const widths = ideal.map((w, i) => w + Math.floor((spare * weight[i]!) / all));
    const last = weight.reduce((at, w, i) => (w > 0 ? i : at), 0);
    widths[last]! += room - widths.reduce((a, b) => a + b, 0);
    return widths;
  }
  // Too narrow for all of them even so: it scrolls sideways, and then nothing need be tight.
  if (room < low.reduce((a, b) => a + b, 0)) return ideal;
  const give = ideal.map((w, i) => w - low[i]!);
  const share = -spare / give.reduce((a, b) => a + b, 0);
  return ideal.map((w, i) => Math.floor(w - give[i]! * share));
}
