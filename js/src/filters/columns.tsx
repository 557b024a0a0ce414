// The list of every column that a facet can be of, with IDC's descriptions.

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ColumnsMessage } from "../kernel/protocol";
import type { Store } from "../state/store";
import { Dialog } from "../ui/dialog";
import { count } from "../ui/format";
import { OnItsWay } from "./busy";
import { fetchTable, Missing } from "./kernelfacet";
import { columnName } from "./names";

const SHOWN = 80;
const CLINICAL = "clinical_index";

export function ColumnsDialog({ store, onClose }: { store: Store; onClose(): void }) {
  const answer = useSignal<ColumnsMessage | null>(null);
  const error = useSignal("");
  const query = useSignal("");
  const list = useRef<HTMLDivElement>(null);
  const clinical = useComputed(() => store.link.fetches.value[CLINICAL]?.here);
  useEffect(() => {
    let gone = false;
    store.link.request<ColumnsMessage>("columns").then(
      (found) => !gone && (answer.value = found),
      (e: Error) => !gone && (error.value = e.message),
    );
    return () => {
      gone = true;
    };
  }, [clinical.value]);

  const found = useComputed(() => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    return (answer.value?.columns ?? []).filter((c) => {
      const text = `${c.name} ${c.label} ${columnName(c.name)} ${c.description}`.toLowerCase();
      return words.every((w) => text.includes(w));
    });
  });
  const pick = (c: ColumnsMessage["columns"][number]): void => {
    const known = store.catalog.value?.facets.some((f) => f.name === c.name);
    const added = store.panel.value.added ?? [];
    if (!known && !added.some((a) => a.name === c.name)) {
      const label = c.label === c.name || c.table !== "index" ? columnName(c.name) : c.label;
      store.setPanel({ added: [...added, { name: c.name, label, description: c.description }] });
      const lacking = answer.value?.lacking[c.table];
      if (lacking && store.link.fetches.value[c.table]?.here === undefined) fetchTable(store, c.table);
    }
    onClose();
    store.reveal.value = { column: c.name };
  };
  // An Enter pressed before the list is there takes what it will find.
  const eager = useSignal(false);
  useSignalEffect(() => {
    if (!answer.value || !eager.value) return;
    eager.value = false;
    if (found.value.length) pick(found.value[0]!);
  });
  const a = answer.value;
  let table = "";
  return (
    <Dialog title="Add a filter" onClose={onClose} wide>
      <input
        class="idc-input idc-columns-search"
        type="search"
        autofocus
        placeholder="Search columns and their descriptions"
        aria-label="Search columns"
        value={query.value}
        onInput={(e) => {
          query.value = e.currentTarget.value;
          eager.value = false;
        }}
        onKeyDown={(e) => {
          if (e.key === "ArrowDown") list.current?.querySelector("button")?.focus();
          if (e.key === "Enter") eager.value = true;
        }}
      />
      {error.value && <p class="idc-error" role="alert">{error.value}</p>}
      {!a && !error.value && <OnItsWay store={store} what="the list follows" meanwhile={eager.value ? "Reading the tables, then the first that fits is added…" : "Reading the tables…"} />}
      {a && (
        <div ref={list} class="idc-columns" role="group" aria-label="Columns" onKeyDown={(e) => walk(e, list.current!)}>
          {found.value.slice(0, SHOWN).map((c) => {
            const head = c.table !== table && (table = c.table);
            const lacking = a.lacking[c.table];
            return (
              <>
                {head && (
                  <h3 key={`t ${c.table}`}>
                    {c.table === "index" ? "Every series" : c.table}
                    {lacking && <span> fetched once from {lacking.host}</span>}
                  </h3>
                )}
                <button type="button" key={c.name} class="idc-column" onClick={() => pick(c)}>
                  <strong>{c.table === "index" ? c.label : columnName(c.name.slice(c.table.length + 1))}</strong> <code>{c.name.split(".").at(-1)}</code>
                  <span>{c.description}</span>
                </button>
              </>
            );
          })}
          {found.value.length > SHOWN && <p class="idc-dim">{count(found.value.length - SHOWN)} more: type to find them.</p>}
          {!found.value.length && <p class="idc-dim">No column has these words in its name or description.</p>}
          {!a.clinical && (
            <>
              <h3>Clinical data</h3>
              <p class="idc-dim">What collections publish of their patients, once the list of their tables is here.</p>
              <Missing store={store} lacking={a.lacking[CLINICAL] ?? { table: CLINICAL, host: "", folder: "" }} />
            </>
          )}
        </div>
      )}
    </Dialog>
  );
}

function walk(e: KeyboardEvent, list: HTMLElement): void {
  if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
  const buttons = [...list.querySelectorAll<HTMLElement>("button.idc-column")];
  const next = buttons[buttons.indexOf(e.target as HTMLElement) + (e.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  e.preventDefault();
  next.focus();
}
