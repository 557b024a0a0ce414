// The filter panel: presets and facets in their groups.

import { untracked, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { holds, togglePreset } from "../cohort/condition";
import type { Facet as FacetInfo } from "../kernel/protocol";
import type { Store } from "../state/store";
import { Icon, press } from "../ui/icons";
import { AboutDialog, type AboutTarget } from "./about";
import { PanelActions } from "./actions";
import { ColumnsDialog } from "./columns";
import { CubeFacet } from "./cubefacet";
import { FacetGroup, setFolded } from "./heading";
import { Histogram } from "./histogram";
import { KernelFacet } from "./kernelfacet";
import { facetsOf } from "./labels";
import { type MenuTarget, ValueMenu } from "./menu";
import { Visibility } from "./visibility";

export function FilterPanel({ store, id }: { store: Store; id: string }) {
  const root = useRef<HTMLDivElement>(null);
  const [seen] = useState(() => new Visibility());
  const menu = useSignal<MenuTarget | null>(null);
  const about = useSignal<AboutTarget | null>(null);
  const adding = useSignal(false);
  const actions = useMemo(
    () => ({
      menu: (target: MenuTarget): void => void (menu.value = target),
      about: (column: string, value: string): void => {
        if (store.live.peek() && store.catalog.value?.names?.[column]) about.value = { column, value };
      },
    }),
    [],
  );
  useEffect(() => {
    seen.start(root.current!);
    return () => seen.stop();
  }, []);
  // A wish from before this view was drawn is somebody else's.
  const heard = useRef(store.reveal.peek());
  useSignalEffect(() => {
    const wanted = store.reveal.value;
    if (!wanted || wanted === heard.current) return;
    heard.current = wanted;
    untracked(() => setFolded(store, wanted.column, false));
    setTimeout(() => show(root.current, wanted.column), 60);
  });
  const groups = useComputed(() => grouped(facetsOf(store)));
  const live = store.live.value;
  const empty = store.cube.value === null;
  const filtered = useComputed(() => store.where.value.length > 0);
  return (
    <PanelActions.Provider value={actions}>
      <div
        id={id}
        ref={root}
        class={`idc-panel${store.current.value || empty ? "" : " idc-pending"}${filtered.value ? "" : " idc-unfiltered"}`}
        role="region"
        aria-label="Filters"
        aria-busy={!store.current.value}
      >
        <Presets store={store} />
        {store.cubeError.value && (
          <p class="idc-error" role="alert">
            {store.cubeError.value}
          </p>
        )}
        {!live && (
          <p class="idc-facet-note idc-no-kernel">What is grey here needs a running kernel: run the cell again.</p>
        )}
        {empty && !store.cubeError.value && <Skeleton />}
        {!empty &&
          groups.value.map(([name, facets]) => (
            <section key={name} class="idc-group">
              {name && <h3>{name}</h3>}
              {facets.map((f) => (
                <AnyFacet key={f.name} store={store} info={f} seen={seen} />
              ))}
            </section>
          ))}
        {!empty && live && (
          <button type="button" class="idc-button idc-add" aria-haspopup="dialog" onClick={() => (adding.value = true)}>
            <Icon name="add" /> Add a filter…
          </button>
        )}
        <ValueMenu store={store} target={menu} onAbout={actions.about} />
        {about.value && <AboutDialog store={store} target={about.value} onClose={() => (about.value = null)} />}
        {adding.value && <ColumnsDialog store={store} onClose={() => (adding.value = false)} />}
      </div>
    </PanelActions.Provider>
  );
}

function AnyFacet(props: { store: Store; info: FacetInfo; seen: Visibility }) {
  if (props.info.kind === "histogram") return <Histogram {...props} />;
  if (props.info.kind !== "kernel") return <CubeFacet {...props} />;
  return props.store.live.value ? <KernelFacet {...props} /> : <FacetGroup {...props} off />;
}

/** Brings a facet into view and gives it the keyboard, once it is drawn. */
function show(root: HTMLElement | null, column: string, tries = 8): void {
  const facet = root?.querySelector<HTMLElement>(`[data-facet="${CSS.escape(column)}"]`);
  const value = facet?.querySelector<HTMLElement>("[role=checkbox][tabindex='0']:not([hidden])");
  if (!value && tries) {
    setTimeout(() => show(root, column, tries - 1), 60);
    return;
  }
  if (!facet) return;
  // Not scrollIntoView, which would move the notebook too.
  root!.scrollTop += facet.getBoundingClientRect().top - root!.getBoundingClientRect().top - 8;
  (value ?? facet.querySelector<HTMLElement>("input, button"))?.focus({ preventScroll: true });
}

function Presets({ store }: { store: Store }) {
  const presets = store.catalog.value?.presets ?? [];
  if (!presets.length) return null;
  return (
    <div class="idc-presets" role="group" aria-label="Presets">
      {presets.map((p) => {
        const toggled = togglePreset(store.where.value, p.where);
        return (
          <button
            key={p.name}
            type="button"
            class="idc-preset"
            aria-pressed={holds(store.where.value, p.where)}
            title={p.description}
            {...press(!store.countable(toggled), () => store.setWhere(toggled))}
          >
            {p.label}
          </button>
        );
      })}
    </div>
  );
}

function Skeleton() {
  return (
    <div aria-hidden="true">
      {[7, 6, 5].map((n, i) => (
        <div key={i} class="idc-facet">
          {Array.from({ length: n }, (_, k) => (
            <div key={k} class="idc-bone" style={{ width: `${k ? 92 - ((k * 37) % 40) : 40}%` }} />
          ))}
        </div>
      ))}
    </div>
  );
}

/** Facets by group, in the order in which groups first come. */
function grouped(facets: readonly FacetInfo[]): [string, FacetInfo[]][] {
  const groups = new Map<string, FacetInfo[]>();
  for (const f of facets) groups.set(f.group, [...(groups.get(f.group) ?? []), f]);
  return [...groups];
}
