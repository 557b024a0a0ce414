// A facet that the kernel counts: its most frequent values, asked for while it is on screen.

import { effect, useComputed, useSignal } from "@preact/signals";
import { useCallback, useEffect, useState } from "preact/hooks";
import { canonical, marks, type Value } from "../cohort/condition";
import { Latest } from "../kernel/link";
import type { FacetMessage, Facet as FacetInfo, Lacking } from "../kernel/protocol";
import type { Store } from "../state/store";
import { count, size } from "../ui/format";
import { Bounds } from "./bounds";
import { OnItsWay } from "./busy";
import { replace, without } from "./edits";
import { type Counted, ValuesFacet } from "./facet";
import { FacetGroup, isFolded } from "./heading";
import type { Visibility } from "./visibility";

const REST_MS = 60; // the cube's counts are painted first

interface Answer {
  key: string;
  message: FacetMessage;
  counted: Counted;
}

export function KernelFacet({ store, info, seen }: { store: Store; info: FacetInfo; seen: Visibility }) {
  const query = useSignal("");
  const answer = useSignal<Answer | null>(null);
  const error = useSignal<{ key: string; text: string } | null>(null);
  const [asked] = useState(() => new Latest<FacetMessage>(store.link, "facet"));
  const table = info.name.includes(".") ? info.name.split(".")[0]! : "";
  const note = useComputed(() => store.link.fetches.value[table]);

  // Ticks in this facet change nothing in it, unless they are of a value that it does not show.
  const question = useComputed(() => {
    const { included, excluded } = marks(store.where.value, info.name);
    const held = answer.value?.counted.index;
    const marked: Value[] = [...included, ...excluded].filter((v) => !held?.has(v));
    const payload = { column: info.name, where: without(store.where.value, info.name), text: query.value.trim() };
    return { key: canonical([payload, note.value?.here ?? false]), payload: { ...payload, marked } };
  });
  const folded = isFolded(store, info.name);

  useEffect(() => {
    if (folded) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      const { key, payload } = question.value;
      clearTimeout(timer);
      const shown = answer.peek();
      if (shown?.key === key && payload.marked.every((v) => v === null || payload.text)) return asked.drop();
      timer = setTimeout(() => {
        asked.ask(
          payload,
          (message) => {
            error.value = null;
            answer.value = { key, message, counted: counted(message) };
          },
          (e) => (error.value = { key, text: e.message }),
        );
      }, REST_MS);
    });
    return () => {
      clearTimeout(timer);
      asked.drop();
      stop();
    };
  }, [folded]);

  const read = useCallback((): Counted | null => answer.value?.counted ?? null, []);
  const a = answer.value;
  const failed = error.value?.key === question.value.key ? error.value.text : "";
  const pending = a?.key !== question.value.key && !failed;
  const lacking = a?.message.lacking;
  if (lacking || !a) {
    return (
      <FacetGroup store={store} info={info}>
        {lacking ? (
          <Missing store={store} lacking={lacking} />
        ) : failed ? (
          <p class="idc-error" role="alert">{failed}</p>
        ) : (
          <p class="idc-facet-note">
            <OnItsWay store={store} what="the counts follow" meanwhile="Counting…" />
          </p>
        )}
      </FacetGroup>
    );
  }
  const { kind, distinct } = a.message;
  const text = query.value.trim();
  return (
    <ValuesFacet
      store={store}
      info={info}
      seen={seen}
      read={read}
      distinct={distinct}
      query={query}
      pending={pending}
      note={
        <>
          {(kind === "number" || kind === "date") && <Bounds store={store} column={info.name} label={info.label} kind={kind} />}
          {failed && <p class="idc-error" role="alert">{failed}</p>}
          {pending && store.link.waiting.value && (
            <p class="idc-facet-note">
              <OnItsWay store={store} what="these counts follow" meanwhile="" />
            </p>
          )}
        </>
      }
      foot={
        <p class="idc-facet-note">
          {kind === "text" && text && distinct > 0 && (
            <button
              type="button"
              class="idc-link"
              onClick={() => store.setWhere(replace(store.where.value, info.name, "contains", { op: "contains", column: info.name, text }))}
            >
              All that contain “{text}”
            </button>
          )}
          {distinct > a.counted.values.length && ` The ${count(a.counted.values.filter((v) => v !== null).length)} most frequent of ${count(distinct)}; search for others.`}
        </p>
      }
    />
  );
}

function counted(m: FacetMessage): Counted {
  const values = m.values ?? [];
  return { values, total: m.totals ?? [], counts: m.counts ?? [], index: new Map(values.map((v, i) => [v, i])) };
}

/** A table that is not on this machine: what fetching means, how far it is, or why it cannot be had. */
export function Missing({ store, lacking }: { store: Store; lacking: Lacking }) {
  const note = store.link.fetches.value[lacking.table];
  const running = note && note.here === undefined;
  return (
    <div class="idc-lacking">
      {!note && (
        <p>
          The table <code>{lacking.table}</code> is not on this machine. It is fetched once from {lacking.host} and kept in{" "}
          <span title={lacking.folder}>the cache folder</span>.
        </p>
      )}
      {running && (
        <p role="status">
          Fetching <code>{lacking.table}</code>…{note.done ? ` ${size(note.done)}${note.total ? ` of ${size(note.total)}` : ""}` : ""}
        </p>
      )}
      {note?.error && <p class="idc-error" role="alert">{note.error}</p>}
      {!running && !note?.here && (
        <button type="button" class="idc-button" onClick={() => fetchTable(store, lacking.table)}>
          {note?.error ? "Try again" : "Fetch it"}
        </button>
      )}
    </div>
  );
}

/** Has the kernel fetch a table; what becomes of it is heard in `store.link.fetches`. */
export function fetchTable(store: Store, table: string): void {
  store.link.note({ event: "fetch", table });
  store.link.request("fetch", { table }).catch((e: Error) => store.link.note({ event: "fetch", table, here: false, error: e.message }));
}
