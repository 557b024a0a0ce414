// A bound of a histogram as a field: exact, and with an answer to what cannot be read.

import { useSignal } from "@preact/signals";
import type { Value } from "../cohort/condition";
import type { Range } from "./range";
import type { Scale } from "./scale";

export function Bound({ column, label, side, range, scale, set }: {
  column: string;
  label: string;
  side: "low" | "high";
  range: Range;
  scale: Scale;
  set: (change: Partial<Range>) => void;
}) {
  const typed = useSignal<string | null>(null); // null: shows what the cohort says
  const problem = useSignal("");
  const bound = range[side];
  const sign = side === "low" ? ">" : "<";
  const shown = bound ? `${bound.strict ? `${sign} ` : ""}${scale.show(bound.value)}` : "";
  const apply = (): void => {
    if (typed.value === null) return;
    const text = typed.value.trim();
    const strict = text.startsWith(sign);
    const value = text === "" ? null : scale.read(text.replace(/^[<>]=?\s*/, ""));
    if (value === undefined) {
      problem.value = `“${text}” cannot be read; write ${scale.hint}.`;
      return;
    }
    const other = range[side === "low" ? "high" : "low"];
    if (value !== null && other && above(side === "low" ? value : other.value, side === "low" ? other.value : value)) {
      problem.value = side === "low" ? `That is above ${scale.show(other.value)}.` : `That is below ${scale.show(other.value)}.`;
      return;
    }
    problem.value = "";
    typed.value = null;
    set({ [side]: value === null ? null : { value, strict: strict && !text.startsWith(`${sign}=`) } });
  };
  return (
    <span class="idc-bound">
      <input
        class="idc-input"
        type="text"
        aria-label={label}
        aria-invalid={problem.value !== ""}
        title={`${label}: ${scale.hint}`}
        placeholder={side === "low" ? "from " : "to"}
        data-column={column}
        value={typed.value ?? shown}
        onInput={(e) => {
          typed.value = e.currentTarget.value;
          problem.value = "";
        }}
        onBlur={apply}
        onKeyDown={(e) => {
          if (e.key === "Enter") apply();
          if (e.key === "Escape") {
            typed.value = null;
            problem.value = "";
          }
          e.stopPropagation();
        }}
      />
      {problem.value && (
        <span class="idc-bound-problem" role="alert">
          {problem.value}
        </span>
      )}
    </span>
  );
}

/** Whether a bound lies above another; "2015" as an upper one reaches to its end. */
const above = (low: Value, high: Value): boolean =>
  typeof low === "number" && typeof high === "number" ? low > high : String(low) > `${high}~`;
