// The search box: words that must all occur, as one condition of the cohort.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { withSearch } from "../cube/condition";
import { Icon } from "../icons";
import type { Store } from "../link/store";

const REST_MS = 600; // no query at every key
const SHORTEST = 3; // letters; Enter searches for fewer

export function Search({ store }: { store: Store }) {
  const typed = useSignal<string | null>(null); // null: shows what the cohort says
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const current = useComputed(() => {
    const found = store.where.value.find((c) => c.op === "search");
    return found?.op === "search" ? found.text : "";
  });
  const apply = (): void => {
    clearTimeout(timer.current);
    if (typed.value !== null) store.setWhere(withSearch(store.where.value, typed.value));
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <div class="idc-search" role="search">
      <Icon name="search" />
      <input
        class="idc-input"
        type="search"
        spellcheck={false}
        placeholder="Search descriptions, patients, UIDs"
        aria-label="Search all text"
        value={typed.value ?? current.value}
        onInput={(e) => {
          typed.value = e.currentTarget.value;
          clearTimeout(timer.current);
          const length = typed.value.trim().length;
          if (length === 0) apply();
          else if (length >= SHORTEST) timer.current = setTimeout(apply, REST_MS);
        }}
        onBlur={() => {
          apply();
          typed.value = null;
        }}
        onKeyDown={(e) => {
          if (e.key === "Enter") apply();
          if (e.key === "Escape") {
            typed.value = "";
            apply();
          }
          e.stopPropagation();
        }}
      />
    </div>
  );
}
