// The Explorer: header, filter panel, table, selection and downloads on one screen.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Downloads, downloadsOf } from "../downloads/jobs";
import { DownloadPanel } from "../downloads/panel";
import { Chips } from "../filters/chips";
import { FilterPanel } from "../filters/panel";
import { type Model, referred } from "../kernel/protocol";
import { SelectionBar } from "../selection/bar";
import type { Store } from "../state/store";
import { ResultTable } from "../table/table";
import { Icon } from "../ui/icons";
import { Frame } from "./frame";
import { Header } from "./header";

export function Explorer({ model, store, id }: { model: Model; store: Store; id: string }) {
  const drawer = useSignal(false);
  const filters = useRef<HTMLButtonElement>(null);
  const side = useRef<HTMLDivElement>(null);
  const active = useComputed(() => store.where.value.length);
  const downloads = useDownloads(model);

  const close = (): void => {
    drawer.value = false;
    requestAnimationFrame(() => filters.current?.focus()); // until the drawer is gone the button is inert
  };
  const open = (): void => {
    // Where the panel is no drawer its button is not shown.
    drawer.value = filters.current?.offsetParent != null;
    requestAnimationFrame(() => side.current?.querySelector<HTMLElement>(".idc-panel button")?.focus());
  };
  // Widened, the panel stands beside the table again.
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (filters.current?.offsetParent == null) drawer.value = false;
    });
    observer.observe(side.current!.parentElement!);
    return () => observer.disconnect();
  }, []);
  return (
    <Frame model={model} kind="explorer" kernel={store.kernel} label="IDC Explorer" shortcuts={{ f: open }}>
      <Header store={store} />
      <div class="idc-main">
        <div
          ref={side}
          class={`idc-side${drawer.value ? " idc-open" : ""}`}
          tabIndex={drawer.value ? -1 : undefined}
          onKeyDown={(e) => {
            if (e.key === "Escape" && drawer.value) close();
          }}
        >
          <div class="idc-drawer-head">
            <strong>Filters</strong>
            <button type="button" class="idc-button" onClick={close}>
              Done
            </button>
          </div>
          <FilterPanel store={store} id={`${id}-filters`} />
        </div>
        {drawer.value && <div class="idc-veil" onClick={close} />}
        <div class="idc-results" inert={drawer.value}>
          <div class="idc-bar">
            <button
              ref={filters}
              type="button"
              class="idc-button idc-drawer-button"
              aria-expanded={drawer.value}
              aria-controls={`${id}-filters`}
              onClick={open}
            >
              <Icon name="filter" /> Filters{active.value ? ` (${active.value})` : ""}
            </button>
            <Chips store={store} />
          </div>
          <ResultTable store={store} id={`${id}-table`} />
        </div>
      </div>
      {store.kernel.value !== "saved" && <SelectionBar store={store} id={`${id}-selection`} downloads={downloads} />}
      {downloads && <DownloadPanel downloads={downloads} gone={!store.live.value} />}
    </Frame>
  );
}

/** The download panel's model lives beside the Explorer's: its progress must not queue with the table's pages. */
function useDownloads(model: Model): Downloads | null {
  const [downloads, set] = useState<Downloads | null>(null);
  useEffect(() => {
    let gone = false;
    const find = (): void => {
      referred(model, "_downloads")?.then(
        (m) => !gone && set(downloadsOf(m)),
        (e: unknown) => console.warn("idc_widgets: the download panel's model is missing.", e),
      );
    };
    model.on("change:_downloads", find);
    find();
    return () => {
      gone = true;
      model.off("change:_downloads", find);
    };
  }, [model]);
  return downloads;
}
