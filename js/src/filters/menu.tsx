// The menu of one value: what can be done with it beside a click.

import type { Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { marks, type Value } from "../cohort/condition";
import type { Store } from "../state/store";
import { copyText } from "../ui/clipboard";
import { Dialog } from "../ui/dialog";
import { only } from "./edits";
import { valueText } from "./names";

export interface MenuTarget {
  column: string;
  label: string;
  value: Value;
  x: number;
  y: number;
}

interface MenuProps {
  store: Store;
  target: Signal<MenuTarget | null>;
  /** Opens the description of the value, where there is one. */
  onAbout(column: string, value: string): void;
}

const DESCRIBED = ["collection_id", "analysis_result_id"];

export function ValueMenu({ store, target, onAbout }: MenuProps) {
  const list = useRef<HTMLDivElement>(null);
  const at = target.value;
  useEffect(() => {
    list.current?.querySelector("button")?.focus();
  }, [at]);
  if (!at) return null;
  const { column, value } = at;
  const { included, excluded } = marks(store.where.value, column);
  const close = (): void => void (target.value = null);
  const items: [string, string, () => void][] = [
    [included.has(value) ? "No longer include" : "Include", "Space", () => store.toggle(column, value)],
    [excluded.has(value) ? "No longer exclude" : "Exclude", "X", () => store.toggle(column, value, true)],
    ["Only this", "O", () => store.setWhere(only(store.where.value, column, value))],
  ];
  if (store.live.value && typeof value === "string" && DESCRIBED.includes(column)) {
    items.push([`About ${value}…`, "I", () => onAbout(column, value)]);
  }
  if (value !== null) items.push(["Copy value", "C", () => void copyText(String(value))]);
  const move = (e: KeyboardEvent): void => {
    const buttons = [...list.current!.querySelectorAll("button")];
    const now = buttons.indexOf(e.target as HTMLButtonElement);
    const to = { ArrowDown: now + 1, ArrowUp: now - 1 + buttons.length, Home: 0, End: buttons.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    buttons[to % buttons.length]!.focus();
  };
  return (
    <Dialog title={`${at.label}: ${valueText(value)}`} at={at} onClose={close} key={`${column}\n${value}`}>
      <div ref={list} role="menu" aria-label={`${at.label}: ${valueText(value)}`} onKeyDown={move}>
        {items.map(([name, key, act]) => (
          <button
            key={name}
            type="button"
            role="menuitem"
            class="idc-menu-item"
            onClick={() => {
              close();
              act();
            }}
          >
            {name} <kbd>{key}</kbd>
          </button>
        ))}
      </div>
    </Dialog>
  );
}
