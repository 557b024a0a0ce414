// What the bins of a histogram are called, and what people may type for a bound.

import type { Value } from "../cohort/condition";
import type { Bins } from "../cube/bins";
import { count, size } from "../ui/format";

export interface Scale {
  /** What a typed bound may look like. */
  hint: string;
  /** A bin, by its code: "2010", "1950s", "50–54", "10–20 MB". */
  bin(bins: Bins, code: number): string;
  /** A bound, as in the field that it can be typed into. */
  show(value: Value): string;
  /** What was typed as a value; undefined when it is none. */
  read(text: string): Value | undefined;
  /** What stands under the axis at the begin of a bin, if anything may. */
  tick(bins: Bins, code: number): string;
}

const MB = 1e6;

const year: Scale = {
  hint: "a year, 2010-06 or 2010-06-15",
  bin(bins, code) {
    const [from, to] = ends(bins, code);
    if (from === null) return `before ${to}`;
    return to !== null && to - from > 1 ? `${from}s` : String(from);
  },
  show: (value) => String(value ?? ""),
  read(text) {
    const m = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$/.exec(text.trim());
    if (!m) return undefined;
    if (m[2] === undefined) return Number(m[1]);
    const iso = [m[1], m[2].padStart(2, "0"), m[3]?.padStart(2, "0")].filter(Boolean).join("-");
    const date = new Date(`${iso}${m[3] ? "" : "-01"}T00:00:00Z`);
    return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso) ? iso : undefined;
  },
  tick(bins, code) {
    const [from, to] = ends(bins, code);
    if (from === null || from % 10) return "";
    return to !== null && to - from > 1 ? `${from}s` : String(from);
  },
};

const number = (text: string): number | undefined => {
  const clean = text.replace(/,(?=\d{3}(\D|$))/g, "").trim();
  return /^\d+(\.\d+)?$|^\.\d+$/.test(clean) ? Number(clean) : undefined;
};

const age: Scale = {
  hint: "years, such as 18 or 0.5",
  bin(bins, code) {
    const [from, to] = ends(bins, code);
    return to === null ? `${from} and more` : `${from ?? 0}–${to - 1}`;
  },
  show: (value) => String(value ?? ""),
  read: number,
  tick(bins, code) {
    const from = ends(bins, code)[0] ?? 0;
    return from % 20 ? "" : String(from);
  },
};

const UNITS: Readonly<Record<string, number>> = { b: 1e-6, kb: 1e-3, mb: 1, "": 1, gb: 1e3, tb: 1e6 };

const bytes: Scale = {
  hint: "a size, such as 10 MB or 1.5 GB",
  bin(bins, code) {
    const [from, to] = ends(bins, code);
    if (from === null) return `under ${round(to! * MB)}`;
    if (to === null) return `${round(from * MB)} and more`;
    const [low, unit] = round(from * MB).split(" ");
    const high = round(to * MB);
    return high.endsWith(` ${unit}`) ? `${low}–${high}` : `${low} ${unit} – ${high}`;
  },
  show: (value) => (value === null ? "" : round(Number(value) * MB)),
  read(text) {
    const m = /^([\d.,]+)\s*([kmgt]?b?)$/i.exec(text.trim());
    const unit = m && UNITS[/^[kmgt]$/i.test(m[2]!) ? `${m[2]!.toLowerCase()}b` : m[2]!.toLowerCase()];
    const value = m ? number(m[1]!) : undefined;
    // 123 kB is 0.123 MB, not 0.12300000000000001.
    return value === undefined || !unit ? undefined : Number((value * unit).toPrecision(15));
  },
  tick(bins, code) {
    const from = ends(bins, code)[0];
    return from !== null && /^1e[+-]?\d+$/.test(from.toExponential()) ? round(from * MB) : "";
  },
};

const images: Scale = {
  hint: "a whole number, such as 20",
  bin(bins, code) {
    const [from, to] = ends(bins, code);
    if (to === null) return `${count(from!)} and more`;
    return (from ?? 1) === to - 1 ? count(from ?? 1) : `${count(from ?? 1)}–${count(to - 1)}`;
  },
  show: (value) => (value === null ? "" : count(Number(value))),
  read(text) {
    const value = number(text);
    return value === undefined || !Number.isInteger(value) ? undefined : value;
  },
  tick(bins, code) {
    const from = ends(bins, code)[0] ?? 1;
    return /^1e[+-]?\d+$/.test(from.toExponential()) ? (from >= 1000 ? `${count(from / 1000)}k` : String(from)) : "";
  },
};

const SCALES: Readonly<Record<string, Scale>> = {
  StudyDate: year, SeriesDate: year, PatientAge: age, series_size_MB: bytes, instanceCount: images,
};

export const scaleOf = (column: string, bins: Bins): Scale =>
  SCALES[column] ?? (bins.kind === "date" ? year : bins.kind === "integer" ? images : age);

/** A size whose figures are all exact: "12.5 MB", not "12.50 MB". */
const round = (b: number): string => {
  const shown = size(b);
  const short = shown.replace(/(\.\d*?)0+(?= )/, "$1").replace(/\.(?= )/, "");
  const m = /^([\d.]+) (\w+)$/.exec(short)!;
  const unit = UNITS[m[2]!.toLowerCase()]! * MB;
  // Rounded to three figures, a bound that was typed with more would no longer be the one that filters.
  return Math.abs(Number(m[1]) * unit - b) < 1e-6 ? short : `${Number((b / unit).toPrecision(12))} ${m[2]}`;
};

/** Where a bin begins and ends; null where it is open. */
function ends(bins: Bins, code: number): [number | null, number | null] {
  const at = (i: number): number | null => (i < 0 || i >= bins.base.length ? null : Number(bins.base[i]));
  return [at(code - 1), at(code)];
}
