// What travels between the kernel and the browser.

import type { Condition, Value, Where } from "../cohort/condition";

/** The part of a widget model that is used here; every notebook host offers it. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback: (...args: never[]) => void): void;
  widget_manager?: { get_model(id: string): Promise<Model> };
  /** True of a saved view's: nobody answers. */
  isSaved?: boolean;
}

/** The model that a trait refers to; null when it refers to none. */
export function referred(model: Model, trait: string): Promise<Model> | null {
  const reference = String(model.get(trait) ?? "");
  if (!reference.startsWith("IPY_MODEL_")) return null;
  return model.widget_manager?.get_model(reference.slice("IPY_MODEL_".length)) ?? null;
}

export type ColumnType = "text" | "integer" | "number" | "date" | "bytes";

export interface Column {
  name: string;
  label: string;
  type: ColumnType;
  description?: string;
  /** Where it says something; everywhere when left out. */
  levels?: Level[];
  /** Values that are shown as a warning, such as licences without commercial use. */
  marked?: string[];
}

/** What a row of the table is. */
export type Level = "collection" | "patient" | "study" | "series";

export interface LevelInfo {
  name: Level;
  label: string;
  /** Columns shown at first. */
  columns: string[];
}

/** A row that the table was opened for: its level, its name, and the conditions that pick it. */
export interface Crumb {
  level: Level;
  label: string;
  where: Condition[];
}

/** How the table stands. */
export interface TableState {
  level?: Level;
  scope?: Crumb[];
  /** Columns shown at a level, in their order. */
  columns?: Partial<Record<Level, string[]>>;
  /** Widths that a person set, in pixels. */
  widths?: Record<string, number>;
}

export interface Facet {
  name: string;
  label: string;
  group: string;
  description?: string;
  /** Counted by the browser, as values or as a histogram, or by the kernel. */
  kind?: "values" | "histogram" | "kernel";
}

/** How the panel was left: what is folded, what shows all its values, what was added. */
export interface PanelState {
  folded?: string[];
  open?: string[];
  added?: { name: string; label: string; description: string }[];
}

export interface Preset {
  name: string;
  label: string;
  description?: string;
  where: Condition[];
}

export interface Totals {
  series: number;
  studies: number;
  patients: number;
  collections: number;
  instances: number;
  bytes: number;
}

export interface Catalog {
  version: number;
  release: string;
  date: string;
  totals: Totals;
  columns: Column[];
  levels?: LevelInfo[];
  facets: Facet[];
  presets: Preset[];
  /** Column → value → its title. */
  names?: Record<string, Record<string, string>>;
  status: string;
}

export interface BinsMessage {
  name: string;
  kind: "date" | "number" | "integer";
  edges: (string | number)[];
  extra: [string | number, 0 | 1][];
  /** Series in the whole catalogue below the first of `edges`, in each bin, missing, and implausible. */
  total: number[];
}

export interface CubeMessage {
  outside: Condition[];
  groups: number;
  rows: number;
  bins: BinsMessage[];
  dimensions: { name: string; values: Value[]; total: number[]; bits: 8 | 16 }[];
  derived: { name: string; source: string; values: Value[]; total: number[]; members: number[][] }[];
  data: string;
}

export interface SortKey {
  column: string;
  descending: boolean;
}

/** A row is ticked when (in base and not in minus) or in plus. */
export interface Ticks {
  base: Where | null;
  minus: number[];
  plus: number[];
}

export type Cell = string | number | boolean | null;
/** row_id (for a group, of its first series), then the columns asked for. */
export type Row = Cell[];

export interface Licence {
  name: string;
  series: number;
  noncommercial: boolean;
}

export interface SelectionTotals {
  series: number;
  studies: number;
  patients: number;
  instances: number;
  bytes: number;
  licences: Licence[];
}

export type Provider = "aws" | "gcs";

export interface Destination {
  path: string;
  free: number | null;
  writable: boolean;
  problem: string | null;
}

export interface Job {
  id: string;
  title: string;
  path: string;
  provider: string;
  created: string;
  state: "queued" | "listing" | "running" | "verifying" | "paused" | "complete" | "failed" | "cancelled";
  /** What it is at, closer than its state. */
  kind:
    | "queued" | "listing" | "downloading" | "verifying" | "retrying" | "stalled" | "paused" | "complete" | "incomplete"
    | "failed" | "cancelled";
  /** Why it waits. */
  reason: string | null;
  /** Until the next try, or since the last byte. */
  seconds: number | null;
  error: string | null;
  workers: number;
  bytes_total: number;
  bytes_done: number;
  bytes_in_flight: number;
  files_total: number;
  files_done: number;
  series_total: number;
  series_done: number;
  failed: number;
  speed: number | null;
  eta: number | null;
}

export type SeriesState = "queued" | "active" | "complete" | "failed";

/** One series of a job. */
export interface SeriesRow {
  SeriesInstanceUID: string;
  path: string;
  /** Its folder below the job's. */
  below: string;
  state: "queued" | "downloading" | "verifying" | "retrying" | "complete" | "failed";
  files: number;
  files_done: number;
  bytes: number;
  bytes_done: number;
  bytes_in_flight: number;
  reason: string | null;
  retry_in: number | null;
}

export interface SeriesPage {
  counts: Record<SeriesState, number>;
  rows: SeriesRow[];
}

/** What a download would do. */
export interface Plan {
  provider: string;
  series: number;
  series_present: number;
  /** Series that are there and only need to be verified, or to be copied from another layout and verified. */
  series_unverified: number;
  series_elsewhere: number;
  /** Downloads that are to bring some of it, and whether these series are all that they have to bring yet. */
  under_way: { job: string; series: number; alone: boolean }[];
  /** Bytes from the cloud, and bytes to be written. */
  to_fetch: number;
  need: number;
  free: number | null;
  seconds: number | null;
  problem: string | null;
  /** Whether names had to be changed, or are too long. */
  warnings: boolean;
  licences: (Licence & { bytes: number })[];
  /** All of it in words: heading, text. */
  lines: [string, string][];
}

export interface Failures {
  failures: { key: string; SeriesInstanceUID: string; reason: string }[];
  more: number;
}

/** All that is known of one row. */
export interface Detail {
  row: number;
  fields: Record<string, Cell>;
  /** Series of its study: row, modality, description, images, bytes. */
  siblings: [number, string, string | null, number, number][];
  more: number;
  links: { label: string; note: string; url: string }[];
  code: string;
  /** Its DICOMweb address, where it has one. */
  dicomweb?: string;
  noncommercial: boolean;
  title?: string;
  about?: string;
}

/** A file that the kernel writes. */
export interface Saving {
  path: string;
  state: "running" | "done" | "failed" | "stopped";
  share: number;
  rows: number;
  bytes: number;
  error: string;
}

/** A table that must be fetched first. */
export interface Lacking {
  table: string;
  host: string;
  folder: string;
}

export interface FacetMessage {
  lacking?: Lacking;
  kind: "text" | "number" | "date" | "boolean";
  values: Value[];
  counts: number[];
  totals: number[];
  /** Values in all (of those that contain the text, where one was asked for), and those that some series has. */
  distinct: number;
  matching: number;
}

export interface ColumnsMessage {
  columns: { name: string; label: string; table: string; description: string }[];
  lacking: Record<string, Lacking>;
  clinical: boolean;
}

export interface Identified {
  condition: Condition | null;
  found: [string, number][];
  unknown: string[];
  /** Why each of them is unknown. */
  reasons?: string[];
  /** Names that look like an unknown one. */
  near?: Record<string, string[]>;
  /** What else there is to say of how the list was read. */
  notes?: string[];
}

/** What a text may mean: the reading to take first, the text itself (without a label) last. */
export interface Readings {
  /** Whether the first is terms that were understood. */
  taken: boolean;
  readings: { label: string; where: Condition[]; series: number }[];
}

export interface About {
  title: string;
  text: string;
  facts: [string, string][];
  links: [string, string][];
}

/** What the kernel says by itself of a table that it fetches. */
export interface FetchNote {
  event: "fetch";
  table: string;
  done?: number;
  total?: number | null;
  here?: boolean;
  error?: string;
}
