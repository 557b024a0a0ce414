// The column chooser: all columns of the level, with what they mean, and the places of those shown.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Column } from "../kernel/protocol";
import type { Store } from "../state/store";
import { IconButton, press } from "../ui/icons";
import { levelOf, moveColumn, offered, resetColumns, shown, toggleColumn } from "./layout";

export function Chooser({ store, close }: { store: Store; close: () => void }) {
  const looked = useSignal("");
  const state = store.table.value;
  const catalog = store.catalog.value;
  const now = shown(catalog, state);
  const names = now.map((c) => c.name);
  const words = looked.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (c: Column): boolean => {
    const text = `${c.label} ${c.name} ${c.description ?? ""}`.toLowerCase();
    return words.every((w) => text.includes(w));
  };
  const rest = offered(catalog, levelOf(state)).filter((c) => !names.includes(c.name));
  // A column that is ticked stays under the pointer; its place here changes only where that is asked for.
  const order = useRef<Column[]>([]);
  if (!order.current.length) order.current = [...now, ...rest];
  const list = order.current.filter(fits);
  const sorted = (change: () => void): void => {
    order.current = [];
    change();
  };
  return (
    <>
      <div class="idc-popover-head">
        <input
          class="idc-input"
          type="search"
          placeholder={`Search ${now.length + rest.length} columns`}
          aria-label="Search columns"
          value={looked.value}
          onInput={(e) => (looked.value = e.currentTarget.value)}
        />
        <button type="button" class="idc-link" onClick={() => sorted(() => resetColumns(store))}>
          Usual columns
        </button>
        <IconButton icon="close" label="Close" onClick={close} />
      </div>
      <ul class="idc-choose">
        {list.map((c) => {
          const place = names.indexOf(c.name);
          return (
            <li key={c.name} data-name={c.name}>
              <label title={c.description}>
                <input
                  type="checkbox"
                  checked={place >= 0}
                  disabled={place >= 0 && names.length === 1}
                  onChange={() => toggleColumn(store, c.name)}
                />
                <span class="idc-column-name">
                  {c.label} {c.label !== c.name && <span class="idc-dim">{c.name}</span>}
                </span>
                <span class="idc-column-text">{c.description}</span>
              </label>
              {place >= 0 && (
                <span class="idc-places">
                  <Move column={c} move={() => sorted(() => moveColumn(store, c.name, place - 1))} off={place === 0} icon="up" word="Left" />
                  <Move column={c} move={() => sorted(() => moveColumn(store, c.name, place + 1))} off={place === names.length - 1} icon="down" word="Right" />
                </span>
              )}
            </li>
          );
        })}
        {list.length === 0 && <li class="idc-none">No column's name or description contains “{looked.value.trim()}”.</li>}
      </ul>
    </>
  );
}

interface MoveProps {
  column: Column;
  move: () => void;
  off: boolean;
  icon: "up" | "down";
  word: string;
}

function Move({ column, move, off, icon, word }: MoveProps) {
  return (
    <IconButton
      icon={icon}
      size={14}
      label={`Move ${column.label} ${word.toLowerCase()}`}
      title={word === "Left" ? "Further left" : "Further right"}
      {...press(off, move)}
    />
  );
}
