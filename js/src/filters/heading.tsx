// The heading of a facet: its name, how much is in it, and what can be done with it.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Ref } from "preact";
import type { Facet as FacetInfo } from "../kernel/protocol";
import type { Store } from "../state/store";
import { count } from "../ui/format";
import { Icon, IconButton } from "../ui/icons";
import { without } from "./edits";

const others = (list: readonly string[] | undefined, name: string): string[] => (list ?? []).filter((n) => n !== name);

export const isFolded = (store: Store, column: string): boolean => store.panel.value.folded?.includes(column) ?? false;

export function setFolded(store: Store, column: string, folded: boolean): void {
  const rest = others(store.panel.value.folded, column);
  store.setPanel({ folded: folded ? [...rest, column] : rest });
}

export const isOpen = (store: Store, column: string): boolean => store.panel.value.open?.includes(column) ?? false;

export function setOpen(store: Store, column: string, open: boolean): void {
  const rest = others(store.panel.value.open, column);
  store.setPanel({ open: open ? [...rest, column] : rest });
}

interface HeadingProps {
  store: Store;
  info: FacetInfo;
  /** How many values, where that says something. */
  size?: number | undefined;
  /** How much is chosen in it; its conditions when left out. */
  active?: number;
  /** Opens and closes the search. */
  onSearch?: (() => void) | undefined;
  searching?: boolean;
  /** What stands in the heading beside the name. */
  aside?: ComponentChildren;
  children?: ComponentChildren;
  /** Whether nobody is there who could count it. */
  off?: boolean;
  group?: Ref<HTMLDivElement>;
}

export function FacetGroup({ store, info, size, active, onSearch, searching = false, aside, children, off = false, group = null }: HeadingProps) {
  const told = useSignal(false);
  const folded = off || isFolded(store, info.name);
  const chosen = active ?? store.where.value.length - without(store.where.value, info.name).length;
  const added = store.panel.value.added?.some((a) => a.name === info.name);
  return (
    <div class="idc-facet" role="group" aria-label={info.label} data-facet={info.name} ref={group}>
      <div class="idc-facet-head">
        <button
          type="button"
          class="idc-fold"
          aria-expanded={!folded}
          aria-disabled={off}
          title={off ? "Needs a running kernel: run the cell again." : info.description}
          onClick={() => off || setFolded(store, info.name, !folded)}
        >
          <Icon name={folded ? "right" : "down"} />
          <span class="idc-facet-name">{info.label}</span>
          {size !== undefined && <span class="idc-facet-size">{count(size)}</span>}
          {chosen > 0 && <span class="idc-badge" aria-label={`${chosen} chosen`}>{chosen}</span>}
        </button>
        {!folded && aside}
        {info.description && (
          <IconButton
            icon="info"
            class="idc-quiet"
            label={`What ${info.label} means`}
            aria-expanded={told.value}
            onClick={() => (told.value = !told.value)}
          />
        )}
        {onSearch && (
          <IconButton icon="search" label={`Search ${info.label}`} aria-expanded={searching} onClick={onSearch} />
        )}
        {added && (
          <IconButton
            icon="close"
            label={`Take ${info.label} off the panel`}
            onClick={() => store.setPanel({ added: (store.panel.value.added ?? []).filter((a) => a.name !== info.name) })}
          />
        )}
      </div>
      {told.value && <p class="idc-facet-help">{info.description}</p>}
      {!folded && children}
    </div>
  );
}
