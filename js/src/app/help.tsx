// The help sheet: what the keys do. Opened by `?` from anywhere in a view, or by its button.

import type { Signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { Dialog } from "../ui/dialog";
import { IconButton } from "../ui/icons";

/** Whether the sheet of this view is open. */
export const Help = createContext<Signal<boolean> | null>(null);

type Keys = readonly (readonly [keys: string, does: string])[];

const EVERYWHERE: Keys = [
  ["?", "this sheet"],
  ["/", "search all text"],
  ["f", "to the filters"],
  ["t", "to the table"],
  ["d", "to the download"],
  ["Tab, Shift+Tab", "from one control to the next"],
  ["Escape", "close, or clear a search"],
];

const FILTERS: Keys = [
  ["↑ ↓ PgUp PgDn Home End", "from value to value"],
  ["Space, Enter", "include a value, or take it back"],
  ["x, o", "exclude a value; only this one"],
  ["i, m", "about a value; its menu"],
  ["← → PgUp PgDn Home End", "move an end of a histogram's range"],
  ["Delete", "take the range back"],
];

const TABLE: Keys = [
  ["← → Home End above the table", "from one of its tools to the next"],
  ["← ↑ ↓ → PgUp PgDn Home End", "from cell to cell; with Ctrl as far as it goes"],
  ["Space", "tick a row"],
  ["Shift+Space, Shift+↑ ↓", "tick a range"],
  ["→ ← in the first column", "unfold what the row holds; fold it"],
  ["Enter", "open the row: what it holds, or a series' details"],
  ["i", "details of the row"],
  ["Ctrl+C, Ctrl+Shift+C", "copy the cell; the row"],
  ["Enter, Shift+Enter on a heading", "sort; as one more column"],
  ["Alt+← →, Shift+← → on a heading", "width of the column; its place"],
];

const FRAME: Keys = [["↑ ↓ PgUp PgDn on the lower edge", "make the view lower or higher"]];

export interface Sheet {
  filters: boolean;
  table: boolean;
}

export function HelpSheet({ shows }: { shows: Sheet }) {
  const open = useContext(Help)!;
  if (!open.value) return null;
  return (
    <Dialog title="Keyboard shortcuts" onClose={() => (open.value = false)} wide>
      <div class="idc-help">
        <List title="Everywhere" keys={EVERYWHERE} />
        {shows.filters && <List title="Filters" keys={FILTERS} />}
        {shows.table && <List title="Table" keys={TABLE} />}
        <List title="Height" keys={FRAME} />
      </div>
    </Dialog>
  );
}

function List({ title, keys }: { title: string; keys: Keys }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {keys.map(([key, does]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export function HelpButton() {
  const open = useContext(Help);
  if (!open) return null;
  return (
    <IconButton
      icon="help"
      class="idc-help-button"
      label="Keyboard shortcuts"
      aria-keyshortcuts="?"
      title="Keyboard shortcuts (?)"
      onClick={() => (open.value = true)}
    />
  );
}
