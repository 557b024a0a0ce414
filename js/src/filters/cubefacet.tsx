// A facet that the browser counts by itself.

import { useComputed } from "@preact/signals";
import { useCallback } from "preact/hooks";
import type { Facet as FacetInfo } from "../kernel/protocol";
import type { Store } from "../state/store";
import { type Counted, ValuesFacet } from "./facet";
import type { Visibility } from "./visibility";

export function CubeFacet({ store, info, seen }: { store: Store; info: FacetInfo; seen: Visibility }) {
  const axis = useComputed(() => store.cube.value?.axes.get(info.name));
  const read = useCallback((late: boolean): Counted | null => {
    const a = axis.value;
    const result = late ? seen.settled(store.result).value : store.result.value;
    if (!a || !result) return null;
    const { values, total, index } = a;
    return { values, total, index, counts: result.counts.get(info.name) ?? new Float64Array(values.length) };
  }, []);
  const a = axis.value;
  if (!a) return null;
  // Of terms of a collection, "Lung" means that the collection has such patients, not that this series shows one.
  const note = a.members && a.members.some((m) => m.length > 1) && (
    <p class="idc-facet-note">Series whose collection includes …</p>
  );
  return <ValuesFacet store={store} info={info} seen={seen} read={read} distinct={a.values.length} note={note} />;
}
