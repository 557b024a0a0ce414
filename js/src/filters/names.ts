// Human names for the codes that DICOM and IDC use.

import type { Value } from "../cohort/condition";

export type Titles = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The human name of a code, or "" when the value speaks for itself; `titles` come with the catalogue. */
export function humanName(column: string, value: Value, titles: Titles = {}): string {
  const names = titles[column];
  if (!names || typeof value !== "string") return "";
  return Object.hasOwn(names, value) ? names[value]! : column === "PatientSex" ? "no code of DICOM" : "";
}

/** A value as a word; the missing value has one too. */
export const valueText = (value: Value): string => (value === null ? "missing" : value === "" ? "(empty)" : String(value));

/** "ct_index.SliceThickness" → "Slice thickness (CT)": what a column is called where nobody gave it a name. */
export function columnName(column: string): string {
  const [table, name] = column.includes(".") ? (column.split(/\.(.*)/s) as [string, string]) : ["", column];
  const parts = name.replaceAll("_", " ").replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2");
  const words = parts.split(" ").map((w, i) => (/^[A-Z]+$/.test(w) && w.length > 1 ? w : i ? w.toLowerCase() : w.charAt(0).toUpperCase() + w.slice(1)));
  const home = table.replace(/_index$/, "").replaceAll("_", " ");
  return `${words.join(" ")}${home ? ` (${home.length < 4 ? home.toUpperCase() : home})` : ""}`;
}
