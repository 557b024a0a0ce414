// The active conditions, each editable where that is easy and removable; undo, redo, and the cohort as code.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Condition, holds, type Where } from "../cohort/condition";
import { columnOf } from "../cube/cover";
import type { Store } from "../state/store";
import { Icon, IconButton, press } from "../ui/icons";
import { CodeDialog } from "./code";
import { facetsOf, labeller } from "./labels";
import { Readings } from "./readings";
import { sentence, words } from "./words";

export function Chips({ store }: { store: Store }) {
  const where = store.where.value;
  const coding = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  const label = labeller(store);
  const remove = (gone: readonly Condition[]): void => store.setWhere(where.filter((o) => !gone.includes(o)));
  useEffect(() => {
    // Anywhere in the widget but where text is typed, which has an undo of its own.
    const home = root.current?.closest<HTMLElement>(".idc-root");
    const key = (e: KeyboardEvent): void => {
      if (!(e.ctrlKey || e.metaKey) || e.altKey) return;
      const name = e.key.toLowerCase();
      const back = name === "z" && !e.shiftKey;
      if (!back && name !== "y" && !(name === "z" && e.shiftKey)) return;
      const at = e.target as HTMLElement;
      if (at.matches("textarea, input:not([type=checkbox])")) return;
      e.preventDefault();
      e.stopPropagation();
      if (back) store.history.undo();
      else store.history.redo();
    };
    home?.addEventListener("keydown", key);
    return () => home?.removeEventListener("keydown", key);
  }, []);
  /** Leads to the control of a condition; null where there is none. */
  const edit = (c: Condition): (() => void) | null => {
    if (c.op === "search") {
      return () => root.current?.closest(".idc-root")?.querySelector<HTMLElement>(".idc-search input")?.focus();
    }
    const column = columnOf(c);
    const facet = facetsOf(store).find((f) => f.name === column);
    const shown = column && store.needs.counts && (facet || column.includes(".") || named(store, column));
    if (!column || !shown || !(store.live.value || (facet && facet.kind !== "kernel"))) return null;
    return () => {
      if (!facet) {
        const description = store.catalog.value?.columns.find((k) => k.name === column)?.description ?? "";
        const added = store.panel.value.added ?? [];
        store.setPanel({ added: [...added, { name: column, label: label(column), description }] });
      }
      store.reveal.value = { column };
    };
  };
  return (
    <div class="idc-chipline" ref={root}>
      {where.length === 0 ? (
        // The line is always there: a first filter must not push the table down.
        <p class="idc-chips idc-no-chips">All series.<span class="idc-hint"> Filter or search to narrow them down.</span></p>
      ) : (
        <div class="idc-chips" role="group" aria-label="Active filters">
          {ranges(where).map((parts, i) => {
            const c: Condition = parts.length > 1 ? { op: "and", args: parts } : parts[0]!;
            const preset = store.catalog.value?.presets.find((p) => p.where.length === 1 && holds([c], p.where));
            const w = preset ? { subject: "", rest: preset.label, not: false } : words(c, label);
            const whole = sentence(c, label, 20);
            const lead = edit(parts[0]!);
            const inside = (
              <>
                {(w.not || w.subject) && <b>{w.not ? `not ${w.subject}` : w.subject} </b>}
                {w.rest}
              </>
            );
            return (
              <span key={i} class={`idc-chip${w.not ? " idc-chip-not" : ""}`} title={whole}>
                {lead ? (
                  <button type="button" class="idc-chip-text" aria-label={`Edit ${whole}`} onClick={lead}>
                    {inside}
                  </button>
                ) : (
                  <span class="idc-chip-text">{inside}</span>
                )}
                <button type="button" class="idc-chip-off" aria-label={`Remove ${whole}`} onClick={() => remove(parts)}>
                  <Icon name="close" size={14} />
                </button>
              </span>
            );
          })}
          <button type="button" class="idc-link" onClick={() => store.setWhere([])}>
            Clear all
          </button>
          {store.live.value && <Readings store={store} />}
        </div>
      )}
      <div class="idc-tools" role="group" aria-label="Filter history and code">
        <IconButton
          icon="undo"
          label="Undo"
          title="Undo (Ctrl+Z)"
          {...press(!store.history.canUndo.value, () => store.history.undo())}
        />
        <IconButton
          icon="redo"
          label="Redo"
          title="Redo (Ctrl+Shift+Z)"
          {...press(!store.history.canRedo.value, () => store.history.redo())}
        />
        {store.live.value && (
          <IconButton
            icon="code"
            label="Code of this cohort"
            title="This cohort as Python or SQL"
            aria-haspopup="dialog"
            onClick={() => (coding.value = true)}
          />
        )}
      </div>
      {coding.value && <CodeDialog store={store} onClose={() => (coding.value = false)} />}
    </div>
  );
}

/** The conditions, those that bound one column from both sides as one. */
function ranges(where: Where): Condition[][] {
  const out: Condition[][] = [];
  const bounds = (c: Condition): string | null => (c.op === "between" || c.op === "compare" ? c.column : null);
  for (const c of where) {
    const before = bounds(c) === null ? undefined : out.find((o) => bounds(o[0]!) === bounds(c));
    if (before) before.push(c);
    else out.push([c]);
  }
  return out;
}

const named = (store: Store, column: string): boolean => store.catalog.value?.columns.some((c) => c.name === column) ?? false;
