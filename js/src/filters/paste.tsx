// A list of identifiers as a condition, and which of them nobody knows.

import { signal, type Signal, useSignal } from "@preact/signals";
import { type Condition, holds, same, type Where } from "../cohort/condition";
import type { Identified } from "../kernel/protocol";
import type { Store } from "../state/store";
import { Copyable } from "../ui/copyable";
import { Dialog } from "../ui/dialog";
import { count, plural } from "../ui/format";
import { OnItsWay } from "./busy";

/** What a list named, to be said until somebody has read it. */
export interface Found extends Identified {
  text: string;
  /** What the filter was then; where nothing was known, the note goes when that changes. */
  beside: Where;
}

const OFFERED = 3; // names in place of unknown ones

/** The result of the last list, for each store: a view that is drawn anew still says it. */
const results = new WeakMap<Store, Signal<Found | null>>();

export function resultOf(store: Store): Signal<Found | null> {
  let found = results.get(store);
  if (!found) results.set(store, (found = signal(null)));
  return found;
}

/** Asks what a list means and makes it a condition, in place of another's; throws a sentence where it means nothing. */
export async function applyList(store: Store, text: string, instead: Condition | null = null): Promise<void> {
  const found = await store.link.request<Identified>("identify", { text });
  const kept = store.where.value.filter((c) => !instead || !same(c, instead));
  if (found.condition || instead) store.setWhere(found.condition ? [...kept, found.condition] : kept);
  resultOf(store).value = { ...found, text, beside: store.where.value };
}

/** The list with another name in place of an unknown one. */
function replaced(text: string, unknown: string, name: string): string {
  const whole = unknown.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return text.replace(new RegExp(`(?<![\\w.-])${whole}(?![\\w.-])`, "g"), () => name);
}

/** What is to be said of a list's unknown entries. */
function sentence(r: Found, version: number | undefined): string {
  const n = r.unknown.length;
  const here = `IDC v${version}`;
  if (!n) return "";
  const why = n === 1 && r.reasons?.[0] ? `: ${r.reasons[0].replace(/\.( Did you mean.*)?$/, "")}` : "";
  if (r.condition) return `${plural(n, "entry", "entries")} of the list ${n === 1 ? "is" : "are"} unknown in ${here}${why}; the others are a filter now.`;
  return n === 1 ? `“${r.unknown[0]}” is not known in ${here}${why}.` : `None of the ${plural(n, "entry", "entries")} is known in ${here}.`;
}

/** Says what was found of a list. */
export function ListResult({ store }: { store: Store }) {
  const result = resultOf(store);
  const listing = useSignal(false);
  const problem = useSignal("");
  const r = result.value;
  // A list that was taken back, or that named nothing before another search, is nobody's matter any more.
  if (!r || !(r.unknown.length || r.notes?.length) || !(r.condition ? holds(store.where.value, [r.condition]) : same(store.where.value, r.beside))) return null;
  const offers = Object.entries(r.near ?? {}).flatMap(([unknown, names]) => names.map((name) => ({ unknown, name }))).slice(0, OFFERED);
  return (
    <p class="idc-list-result" role="status">
      <span>{[sentence(r, store.catalog.value?.version), ...(r.notes ?? [])].filter(Boolean).join(" ")}</span>
      {offers.map(({ unknown, name }) => (
        <button
          key={`${unknown}\n${name}`}
          type="button"
          class="idc-link"
          title={`In place of ${unknown}`}
          onClick={() => applyList(store, replaced(r.text, unknown, name), r.condition).catch((e: Error) => (problem.value = e.message))}
        >
          Use “{name}”
        </button>
      ))}
      {r.unknown.length > 0 && (
        <button type="button" class="idc-link" onClick={() => (listing.value = true)}>
          Show {r.unknown.length === 1 ? "it" : "them"}
        </button>
      )}
      <button type="button" class="idc-link" onClick={() => (result.value = null)}>
        Dismiss
      </button>
      {problem.value && <span class="idc-error">{problem.value}</span>}
      {listing.value && (
        <Dialog title={`Unknown in this version of IDC: ${count(r.unknown.length)}`} onClose={() => (listing.value = false)}>
          <Copyable text={r.unknown.map((u, i) => (r.reasons?.[i] ? `${u}\t${r.reasons[i]}` : u)).join("\n")} label="Unknown entries" rows={12} />
        </Dialog>
      )}
    </p>
  );
}

export function PasteDialog({ store, onClose }: { store: Store; onClose(): void }) {
  const text = useSignal("");
  const error = useSignal("");
  const busy = useSignal(false);
  const apply = (): void => {
    busy.value = true;
    error.value = "";
    applyList(store, text.value).then(onClose, (e: Error) => {
      error.value = e.message;
      busy.value = false;
    });
  };
  return (
    <Dialog title="Filter by a list" onClose={onClose}>
      <p class="idc-dim">
        UIDs of series or studies, CRDC UUIDs, PatientIDs, collections, DOIs, addresses, a manifest or a table: an entry
        or a row a line. Of a row the finest identifier counts.
      </p>
      <textarea
        class="idc-code"
        rows={10}
        autofocus
        spellcheck={false}
        aria-label="Identifiers"
        value={text.value}
        onInput={(e) => (text.value = e.currentTarget.value)}
      />
      {error.value && <p class="idc-error" role="alert">{error.value}</p>}
      <div class="idc-copy-line">
        <span>{busy.value && <OnItsWay store={store} what="the list is looked up" meanwhile="Looking them up…" />}</span>
        <button type="button" class="idc-button idc-primary" disabled={!text.value.trim() || busy.value} onClick={apply}>
          Use as a filter
        </button>
      </div>
    </Dialog>
  );
}
