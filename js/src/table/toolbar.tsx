// Above the table: what a row is, where one is, what is shown, and what can be done with it.

import type { Signal } from "@preact/signals";
import type { Level, Ticks } from "../kernel/protocol";
import { below, LEVELS } from "../state/levels";
import type { Store } from "../state/store";
import { nothing } from "../state/ticks";
import { Icon, press } from "../ui/icons";
import { Popover } from "../ui/popover";
import { useRoving } from "../ui/roving";
import { Chooser } from "./chooser";
import { levelOf } from "./layout";
import { Save } from "./save";
import type { Tree } from "./tree";

interface Props {
  store: Store;
  tree: Tree;
  total: number;
  only: Signal<Ticks | null>;
  pane: Signal<boolean>;
}

/** Another level; what it was opened for stays where it is wider. */
export function setLevel(store: Store, level: Level): void {
  const scope = (store.table.peek().scope ?? []).filter((c) => LEVELS.indexOf(c.level) < LEVELS.indexOf(level));
  store.setTable({ level, scope });
}

export function Toolbar({ store, tree, total, only, pane }: Props) {
  const state = store.table.value;
  const level = levelOf(state);
  const levels = store.catalog.value?.levels ?? [];
  const ticks = store.ticks.value;
  const [ofLevels, ofTools] = [useRoving(true), useRoving()];
  return (
    <div class="idc-toolbar">
      {levels.length > 0 && (
        <>
          <div class="idc-levels" role="toolbar" aria-label="A row is" {...ofLevels}>
            {levels.map((l) => (
              <button
                key={l.name}
                type="button"
                aria-pressed={l.name === level}
                title={`A row each for ${l.label.toLowerCase()}; the filters stay`}
                onClick={() => setLevel(store, l.name)}
              >
                {l.label}
              </button>
            ))}
          </div>
          {/* In their place where there is no room for them. */}
          <select class="idc-input idc-level" aria-label="A row is" value={level} onChange={(e) => setLevel(store, e.currentTarget.value as Level)}>
            {levels.map((l) => (
              <option key={l.name} value={l.name}>
                {l.label}
              </option>
            ))}
          </select>
        </>
      )}
      {store.live.value && (
        <div class="idc-table-tools" role="toolbar" aria-label="Table" {...ofTools}>
          <button
            type="button"
            class="idc-tool"
            aria-pressed={only.value !== null}
            title="Show what is ticked, whatever the filters say"
            aria-label="Only ticked"
            {...press(only.value === null && nothing(ticks), () => (only.value = only.value === null ? ticks : null))}
          >
            <Icon name="done" /> <span class="idc-tool-label">Only ticked</span>
          </button>
          <Popover label="Columns" icon="columns" title="Choose and order the columns">
            {(close) => <Chooser key={level} store={store} close={close} />}
          </Popover>
          <Popover label="Save" icon="save" title="Save the table as CSV, Parquet or a manifest">
            {(close) => <Save store={store} question={tree.question} total={total} close={close} />}
          </Popover>
          <button
            type="button"
            class="idc-tool"
            aria-pressed={pane.value}
            aria-label="Details"
            title="All that is known of the row (i)"
            onClick={() => (pane.value = !pane.value)}
          >
            <Icon name="detail" /> <span class="idc-tool-label">Details</span>
          </button>
        </div>
      )}
    </div>
  );
}

/** Where one is, when a row was opened; each part leads back. */
export function Breadcrumb({ store }: { store: Store }) {
  const scope = store.table.value.scope ?? [];
  if (!scope.length) return null;
  const to = (n: number): void => {
    const kept = scope.slice(0, n);
    store.setTable({ scope: kept, level: n ? (below(kept[n - 1]!.level) ?? "series") : scope[0]!.level });
  };
  return (
    <nav class="idc-crumbs" aria-label="Opened rows">
      <button type="button" class="idc-link" onClick={() => to(0)}>
        All that match
      </button>
      {scope.map((c, i) => (
        <span key={i}>
          <span aria-hidden="true">›</span>
          {i === scope.length - 1 ? (
            <b aria-current="location" title={c.label}>
              {c.label}
            </b>
          ) : (
            <button type="button" class="idc-link" title={c.label} onClick={() => to(i + 1)}>
              {c.label}
            </button>
          )}
        </span>
      ))}
    </nav>
  );
}
