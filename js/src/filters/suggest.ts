// What typed words may mean: values of the facets by their own or their human name, found without the kernel.

import type { Value, Where } from "../cohort/condition";
import type { Cube } from "../cube/cube";
import { humanName, type Titles } from "./names";

export interface Suggestion {
  column: string;
  value: Value;
  human: string;
  /** Series in the whole catalogue. */
  total: number;
}

const MOST = 7;
const LEAST = 2; // letters
const SILENT = ["series_init_idc_version", "series_revised_idc_version"]; // a number says nothing by itself

interface Entry extends Suggestion {
  text: string;
}

const entriesOf = new WeakMap<object, Entry[]>();

/** Letter case, `-`, `_` and spaces make no difference. */
const plain = (text: string): string => text.trim().toLowerCase().replace(/[\s_-]+/g, " ");

function entries(cube: Cube, titles: Titles): Entry[] {
  const key = cube.axes.get("collection_id")?.values ?? cube;
  let found = entriesOf.get(key);
  if (found) return found;
  found = [];
  for (const axis of cube.axes.values()) {
    if (axis.bins || SILENT.includes(axis.name)) continue;
    axis.values.forEach((value, code) => {
      if (value === null) return;
      const human = humanName(axis.name, value, titles);
      found!.push({ column: axis.name, value, human, total: axis.total[code]!, text: ` ${plain(`${value} ${human}`)}` });
    });
  }
  entriesOf.set(key, found);
  return found;
}

/** The values of which every typed word begins a word, best first. */
export function suggest(cube: Cube, titles: Titles, typed: string): Suggestion[] {
  const whole = plain(typed);
  if (whole.length < LEAST) return [];
  const words = whole.split(" ").map((w) => ` ${w}`);
  const rank = (e: Entry): number =>
    plain(String(e.value)) === whole ? 0 : plain(e.human) === whole ? 1 : e.text.startsWith(` ${whole}`) ? 2 : 3;
  return entries(cube, titles)
    .filter((e) => words.every((w) => e.text.includes(w)))
    .sort((a, b) => rank(a) - rank(b) || b.total - a.total)
    .slice(0, MOST);
}

/** The values that are named so, where these are of one column: what is known without the kernel. */
export function named(cube: Cube, titles: Titles, typed: string): Suggestion[] {
  const whole = plain(typed);
  const found = entries(cube, titles).filter((e) => whole === plain(String(e.value)) || whole === plain(e.human));
  return found.every((e) => e.column === found[0]!.column) ? found : [];
}

// "10.7937/…" is what the catalogue holds, however a DOI is written.
const DOI = /^(?:https?:\/\/(?:dx\.)?doi\.org\/|doi:\s*)/i;

export const cleaned = (text: string): string => text.replace(DOI, "").trim();

const IDENTIFIER = /(?:^|[^\w.])[012](?:\.\d+){5,}|\d\.\d{25,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/** Whether a pasted text is a list of identifiers rather than words to look for. */
export function isList(text: string): boolean {
  // An address of a viewer or of a bucket, and a row of a table, by the UID or UUID in it.
  if (IDENTIFIER.test(text) && /:\/\/|\S[,;|\t]\s*\S/.test(text.trim())) return true;
  const items = text.split(/[\n\r,;\t]+/).map((i) => i.trim()).filter(Boolean);
  if (items.length < 2) return /\b(s3|gs):\/\//.test(text) || text.trim().split(/\s+/).filter((w) => /^\d+(\.\d+){3,}$/.test(w)).length > 1;
  return /[\n\r\t]/.test(text.trim()) || items.every((i) => !/\s/.test(i) && /[\d_]/.test(i));
}

/** Whether a value stands as a condition already. */
export const stands = (where: Where, s: Suggestion): boolean =>
  where.some((c) => c.op === "in" && c.column === s.column && c.values.includes(s.value));
