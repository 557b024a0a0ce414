// From … to: typed bounds of a number or a date that has no histogram.

import { asList } from "../cohort/condition";
import type { Bins } from "../cube/bins";
import type { Store } from "../state/store";
import { Bound } from "./bound";
import { NO_RANGE, type Range, readRange, writeRange } from "./range";
import { type Scale, scaleOf } from "./scale";

const number = {
  hint: "a number, such as 1.5",
  show: (value) => String(value ?? ""),
  read: (text) => (text.trim() && Number.isFinite(Number(text)) ? Number(text) : undefined),
} as Scale;
const date = scaleOf("", { kind: "date" } as Bins);

interface BoundsProps {
  store: Store;
  column: string;
  label: string;
  kind: "number" | "date";
}

export function Bounds({ store, column, label, kind }: BoundsProps) {
  const lists = store.where.value.filter((c) => asList(c)?.column === column);
  const rest = store.where.value.filter((c) => !lists.includes(c));
  const range = readRange(rest, column);
  if (!range) return null; // filtered by more than a range can say; the chips say it
  const set = (change: Partial<Range>): void =>
    store.setWhere([...writeRange(rest, column, { ...NO_RANGE, ...range, ...change }), ...lists]);
  const scale = kind === "date" ? date : number;
  return (
    <div class="idc-bounds">
      <Bound column={column} label={`${label} from`} side="low" range={range} scale={scale} set={set} />
      <span aria-hidden="true">–</span>
      <Bound column={column} label={`${label} to`} side="high" range={range} scale={scale} set={set} />
    </div>
  );
}
