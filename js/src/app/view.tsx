// The views that a model can name, and what each of them shows.

import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { downloadsOf } from "../downloads/jobs";
import { DownloadPanel } from "../downloads/panel";
import { Chips } from "../filters/chips";
import { FilterPanel } from "../filters/panel";
import { Status } from "../filters/status";
import type { Model } from "../kernel/protocol";
import { SelectionBar } from "../selection/bar";
import type { KernelState, Needs, Store } from "../state/store";
import { ResultTable } from "../table/table";
import { Explorer } from "./explorer";
import { Frame } from "./frame";
import { Header } from "./header";

/** "" is a part that was closed while others still share its state. */
export type ViewName = "" | "explorer" | "filters" | "table" | "downloads";

/** What a view must know; the rest is neither counted nor asked. */
export function needsOf(view: ViewName): Needs {
  return {
    counts: view !== "downloads",
    facets: view === "explorer" || view === "filters",
    totals: view === "explorer" || view === "filters",
    selection: view === "explorer" || view === "downloads",
  };
}

let views = 0;

export function View({ view, model, store }: { view: ViewName; model: Model; store: Store | null }): ComponentChildren {
  const [id] = useState(() => `idc-${(views++).toString(36)}-${Math.random().toString(36).slice(2, 7)}`);
  if (view === "downloads") return <DownloadPart model={model} store={store} id={id} />;
  if (!view || !store) return null;
  if (view === "filters") return <FilterPart model={model} store={store} id={id} />;
  if (view === "table") return <TablePart model={model} store={store} id={id} />;
  return <Explorer model={model} store={store} id={id} />;
}

interface PartProps {
  model: Model;
  store: Store;
  id: string;
}

function FilterPart({ model, store, id }: PartProps) {
  return (
    <Frame model={model} kind="filters" kernel={store.kernel}>
      <Header store={store} />
      <div class="idc-bar">
        <Chips store={store} />
      </div>
      <FilterPanel store={store} id={`${id}-filters`} />
      <div class="idc-notes">
        <Status store={store} />
      </div>
    </Frame>
  );
}

function TablePart({ model, store, id }: PartProps) {
  return (
    <Frame model={model} kind="table" kernel={store.kernel}>
      <div class="idc-results">
        <div class="idc-bar">
          <Chips store={store} />
        </div>
        <ResultTable store={store} id={`${id}-table`} />
      </div>
    </Frame>
  );
}

function DownloadPart({ model, store, id }: { model: Model; store: Store | null; id: string }) {
  const [downloads] = useState(() => downloadsOf(model));
  const kernel = useComputed<KernelState>(() => store?.kernel.value ?? (downloads.link.gone.value ? "gone" : "live"));
  return (
    <Frame model={model} kind="downloads" kernel={kernel}>
      {store && <SelectionBar store={store} id={`${id}-selection`} downloads={downloads} />}
      <DownloadPanel downloads={downloads} gone={kernel.value !== "live"} alone />
    </Frame>
  );
}
