// The filter panel: presets and facets in their groups.

import { useComputed } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { holds } from "../cube/condition";
import type { Facet as FacetInfo } from "../link/protocol";
import type { Store } from "../link/store";
import { Facet } from "./facet";
import { Histogram } from "./histogram";
import { Visibility } from "./visibility";

export function FilterPanel({ store, id }: { store: Store; id: string }) {
  const root = useRef<HTMLDivElement>(null);
  const [seen] = useState(() => new Visibility());
  useEffect(() => {
    seen.start(root.current!);
    return () => seen.stop();
  }, []);
  const groups = useComputed(() => grouped(store.catalog.value?.facets ?? []));
  const empty = store.cube.value === null;
  return (
    <div
      id={id}
      ref={root}
      class={`idc-panel${store.current.value || empty ? "" : " idc-pending"}`}
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
      {empty && !store.cubeError.value && <Skeleton />}
      {!empty && groups.value.map(([name, facets]) => (
        <section key={name} class="idc-group">
          {name && <h3>{name}</h3>}
          {facets.map((f) =>
            f.kind === "histogram" ? (
              <Histogram key={f.name} store={store} info={f} seen={seen} />
            ) : (
              <Facet key={f.name} store={store} info={f} seen={seen} />
            ),
          )}
        </section>
      ))}
    </div>
  );
}

function Presets({ store }: { store: Store }) {
  const presets = store.catalog.value?.presets ?? [];
  if (!presets.length) return null;
  return (
    <div class="idc-presets" role="group" aria-label="Presets">
      {presets.map((p) => (
        <button
          key={p.name}
          type="button"
          class="idc-preset"
          aria-pressed={holds(store.where.value, p.where)}
          title={p.description}
          onClick={() => store.togglePreset(p)}
        >
          {p.label}
        </button>
      ))}
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
