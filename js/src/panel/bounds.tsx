// From … to: typed bounds of a number or a date that has no histogram.

import { useSignal } from "@preact/signals";
import type { Store } from "../link/store";
import { replace } from "./edits";

interface BoundsProps {
  store: Store;
  column: string;
  label: string;
  kind: "number" | "date";
}

export function Bounds({ store, column, label, kind }: BoundsProps) {
  const now = store.where.value.find((c) => c.op === "between" && c.column === column);
  const held = now?.op === "between" ? now : { low: null, high: null };
  const error = useSignal("");
  const apply = (form: HTMLFormElement): void => {
    const read = (name: string): string | number | null => {
      const text = (form.elements.namedItem(name) as HTMLInputElement).value.trim();
      if (!text) return null;
      if (kind === "date") {
        if (!/^\d{4}(-\d\d(-\d\d)?)?$/.test(text)) throw new Error(`“${text}” is no date: 2015, 2015-06 or 2015-06-01 is.`);
        return text;
      }
      const n = Number(text.replace(",", "."));
      if (!Number.isFinite(n)) throw new Error(`“${text}” is no number.`);
      return n;
    };
    try {
      const low = read("low");
      const high = read("high");
      if (low !== null && high !== null && low > high) throw new Error("The first bound is above the second.");
      error.value = "";
      const condition = low === null && high === null ? null : ({ op: "between", column, low, high } as const);
      store.setWhere(replace(store.where.value, column, "between", condition));
    } catch (e) {
      error.value = (e as Error).message;
    }
  };
  return (
    <form
      class="idc-bounds"
      onSubmit={(e) => {
        e.preventDefault();
        apply(e.currentTarget);
      }}
      onChange={(e) => apply(e.currentTarget)}
      onKeyDown={(e) => e.stopPropagation()}
    >
      <input class="idc-input" name="low" aria-label={`${label} from`} placeholder="from" value={held.low === null ? "" : String(held.low)} />
      <span aria-hidden="true">–</span>
      <input class="idc-input" name="high" aria-label={`${label} to`} placeholder="to" value={held.high === null ? "" : String(held.high)} />
      {error.value && <p class="idc-error" role="alert">{error.value}</p>}
    </form>
  );
}
