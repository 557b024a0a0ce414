// What the rows of each level are: what identifies one, what it is called, and what it holds.

import type { Condition } from "../cohort/condition";
import type { Cell, Level } from "../kernel/protocol";

export const LEVELS: readonly Level[] = ["collection", "patient", "study", "series"];

/** Reads a column of one row. */
export type Read = (column: string) => Cell | undefined;

/** The level of what a row holds; null for a series. */
export const below = (level: Level): Level | null => LEVELS[LEVELS.indexOf(level) + 1] ?? null;

/** Columns asked for beside those shown: what identifies a row, names it, and says how much it holds. */
const NEEDED: Readonly<Record<Level, readonly string[]>> = {
  collection: ["collection_id", "patients", "series"],
  patient: ["collection_id", "PatientID", "studies", "series"],
  study: ["collection_id", "PatientID", "StudyInstanceUID", "StudyDate", "StudyDescription", "series"],
  series: ["SeriesInstanceUID"],
};
const NAMED: readonly string[] = [...NEEDED.series, "Modality", "SeriesDescription"];

export const needed = (level: Level, nested: boolean): readonly string[] =>
  level === "series" && nested ? NAMED : NEEDED[level];

/** The columns that tell a row from others. A patient is one of its collection: some PatientIDs stand in two. */
export const IDENTIFIERS: Readonly<Record<Level, readonly string[]>> = {
  collection: ["collection_id"],
  patient: ["collection_id", "PatientID"],
  study: ["StudyInstanceUID"],
  series: ["SeriesInstanceUID"],
};

/** The conditions that pick one row's series among others. */
export const keys = (level: Level, read: Read): Condition[] =>
  IDENTIFIERS[level].map((column) => ({ op: "in", column, values: [(read(column) ?? null) as string | null] }));

/** What a row is called where its own columns are not shown. */
export function nameOf(level: Level, read: Read): string {
  const text = (...columns: string[]): string => columns.map((c) => read(c)).filter((v) => v != null && v !== "").join(" · ");
  if (level === "collection") return text("collection_id");
  if (level === "patient") return text("PatientID");
  if (level === "study") return text("StudyDate", "StudyDescription") || text("StudyInstanceUID");
  return text("SeriesDescription") || text("Modality");
}

/** How many rows a row holds. */
export function size(level: Level, read: Read): number {
  const column = level === "collection" ? "patients" : level === "patient" ? "studies" : "series";
  return Number(read(column) ?? 0);
}

export const noun = (level: Level, many = false): string =>
  level === "series" ? "series" : level === "study" ? (many ? "studies" : "study") : many ? `${level}s` : level;
