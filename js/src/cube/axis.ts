// What a cube is filtered and counted by.

import type { Value } from "../cohort/condition";
import type { Bins } from "./bins";

/** One column that can be filtered and counted: a dimension, one derived from a dimension's values, or a binned one. */
export interface Axis {
  name: string;
  /** Of a binned axis there are none. */
  values: readonly Value[];
  /** Series in the whole catalogue, for each value. */
  total: readonly number[];
  index: ReadonlyMap<Value, number>;
  /** Codes by group or, of a binned axis, by cell. */
  codes: Uint8Array | Uint16Array;
  sourceSize: number;
  /** For a derived axis: which of `values` each source code has. */
  members: readonly (readonly number[])[] | null;
  bins: Bins | null;
}
