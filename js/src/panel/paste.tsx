// A list of identifiers as a condition, and which of them nobody knows.

import { signal, type Signal, useSignal } from "@preact/signals";
import { type Condition, holds } from "../cube/condition";
import { count, plural } from "../format";
import type { Identified } from "../link/protocol";
import type { Store } from "../link/store";
import { OnItsWay } from "./busy";
import { Copyable } from "./copy";
import { Dialog } from "./dialog";

/** What a list named, to be said until somebody has read it. */
export interface Found {
  /** Null where nothing in it is known. */
  condition: Condition | null;
  unknown: string[];
}

/** The result of the last list, for each store: a view that is drawn anew still says it. */
const results = new WeakMap<Store, Signal<Found | null>>();

export function resultOf(store: Store): Signal<Found | null> {
  let found = results.get(store);
  if (!found) results.set(store, (found = signal(null)));
  return found;
}

/** Asks what a list means and makes it a condition; throws a sentence where it means nothing. */
export async function applyList(store: Store, text: string): Promise<void> {
  const { condition, unknown } = await store.link.request<Identified>("identify", { text });
  resultOf(store).value = { condition, unknown };
  if (condition) store.setWhere([...store.where.value, condition]);
}

/** Says what was found of a list. */
export function ListResult({ store }: { store: Store }) {
  const result = resultOf(store);
  const listing = useSignal(false);
  const r = result.value;
  // A list that was taken back is nobody's matter any more.
  if (!r || !r.unknown.length || (r.condition && !holds(store.where.value, [r.condition]))) return null;
  const unknown = r.unknown.length;
  return (
    <p class="idc-list-result" role="status">
      <span>
        {r.condition ? `${plural(unknown, "entry", "entries")} of the list ${unknown === 1 ? "is" : "are"}` : `None of the ${plural(unknown, "entry", "entries")} is`}{" "}
        unknown in IDC v{store.catalog.value?.version}{r.condition ? "; the others are a filter now." : ": no series, study, patient, collection or DOI of this name."}
      </span>
      <button type="button" class="idc-link" onClick={() => (listing.value = true)}>
        Show {unknown === 1 ? "it" : "them"}
      </button>
      <button type="button" class="idc-link" onClick={() => (result.value = null)}>
        Dismiss
      </button>
      {listing.value && (
        <Dialog title={`Unknown in this version of IDC: ${count(unknown)}`} onClose={() => (listing.value = false)}>
          <Copyable text={r.unknown.join("\n")} label="Unknown entries" rows={12} />
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
        UIDs of series or studies, CRDC UUIDs, PatientIDs, collections, DOIs or lines of a manifest: one a line, or
        between commas.
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
