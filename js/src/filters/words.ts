// Conditions in words, for the chips: conditions that no facet shows read as plainly as those that one does.

import type { Condition, Value } from "../cohort/condition";
import { columnOf } from "../cube/cover";
import { plural } from "../ui/format";
import { valueText } from "./names";

/** A condition as a subject and what is said of it; `not` when it excludes. */
export interface Words {
  subject: string;
  rest: string;
  not: boolean;
}

const SHOWN = 2; // values named in a chip before "+3"

// What a pasted list names, by the column that knows it.
const KINDS: Readonly<Record<string, [string, string]>> = {
  SeriesInstanceUID: ["series", "series"],
  crdc_series_uuid: ["series", "series"],
  StudyInstanceUID: ["study", "studies"],
  PatientID: ["patient", "patients"],
  collection_id: ["collection", "collections"],
  source_DOI: ["DOI", "DOIs"],
  analysis_result_id: ["analysis result", "analysis results"],
};
const LONG = 8; // identifiers, of which the first ones say nothing

/** A union of identifiers in words: "4,988 series, 12 studies"; "" when it is something else. */
function list(args: readonly Condition[]): string {
  const counts = new Map<string, number>();
  for (const a of args) {
    const kind = a.op === "in" ? KINDS[a.column] : undefined;
    if (a.op !== "in" || !kind) return "";
    counts.set(kind[1], (counts.get(kind[1]) ?? 0) + a.values.length);
  }
  const one = new Map(Object.values(KINDS).map(([s, many]) => [many, s]));
  return [...counts].map(([many, n]) => plural(n, one.get(many)!, many)).join(", ");
}

const several = (values: readonly Value[], shown: number): string => {
  const names = values.slice(0, shown).map(valueText).join(", ");
  return values.length > shown ? `${names} +${values.length - shown}` : names;
};

const both = (list: readonly string[]): string =>
  list.length < 2 ? (list[0] ?? "") : `${list.slice(0, -1).join(", ")} and ${list[list.length - 1]}`;

/** `label` gives a column's human name; `shown` is how many values of a list are named. */
export function words(c: Condition, label: (column: string) => string, shown = SHOWN): Words {
  switch (c.op) {
    case "in":
      if (c.values.length >= LONG && c.column !== "collection_id" && KINDS[c.column]) {
        return { subject: "List", rest: list([c]), not: false };
      }
      return { subject: label(c.column), rest: c.values.length ? several(c.values, shown) : "nothing", not: false };
    case "not": {
      const inner = words(c.arg, label, shown);
      if (!inner.not && inner.subject) return { ...inner, not: true };
      const whole = sentence(c.arg, label, shown);
      return { subject: "", rest: whole.startsWith("(") ? whole : `(${whole})`, not: true };
    }
    case "between": {
      const { low, high } = c;
      const rest =
        low === null ? `up to ${valueText(high)}` : high === null ? `from ${low}` : `${low} – ${valueText(high)}`;
      return { subject: label(c.column), rest: c.column === "series_size_MB" ? `${rest} MB` : rest, not: false };
    }
    case "compare":
      return { subject: label(c.column), rest: `${c.than === "<" ? "below" : "above"} ${valueText(c.value)}`, not: false };
    case "references":
      return { subject: "Made on", rest: sentence(c.arg, label, shown), not: false };
    case "referenced_by":
      return { subject: "Comes with", rest: sentence(c.arg, label, shown), not: false };
    case "sql":
      return { subject: "SQL", rest: c.text, not: false };
    case "implausible":
      return { subject: label(c.column), rest: "implausible", not: false };
    case "contains":
      return { subject: label(c.column), rest: `contains “${c.text}”`, not: false };
    case "search":
      return { subject: "Search", rest: `“${c.text}”`, not: false };
    case "with_modalities":
      return {
        subject: c.per === "patient" ? "Patients" : "Studies",
        rest: `with ${both(c.modalities)}`,
        not: false,
      };
    case "and":
    case "or": {
      const listed = c.op === "or" ? list(c.args) : "";
      if (listed) return { subject: "List", rest: listed, not: false };
      const column = columnOf(c);
      const own = c.args.map((a) => words(a, label, shown));
      if (column !== null && !own.some((w) => w.not)) {
        return { subject: label(column), rest: own.map((w) => w.rest).join(` ${c.op} `), not: false };
      }
      const parts = c.args.map((a) => sentence(a, label, shown));
      return { subject: "", rest: parts.join(c.op === "and" ? " and " : " or ") || "everything", not: false };
    }
    default: // a newer kernel may know more conditions than this page does
      return { subject: "Condition", rest: JSON.stringify(c), not: false };
  }
}

/** The same as one phrase. */
export function sentence(c: Condition, label: (column: string) => string, shown = SHOWN): string {
  const w = words(c, label, shown);
  const phrase = [w.subject, w.rest].filter(Boolean).join(" ");
  const whole = (c.op === "and" || c.op === "or") && c.args.length > 1 ? `(${phrase})` : phrase;
  return w.not ? `not ${whole}` : whole;
}
