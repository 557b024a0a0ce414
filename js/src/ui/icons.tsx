// The few icons, as strokes in the text's colour.

import type { ButtonHTMLAttributes } from "preact";

const PATHS = {
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  close: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5l3 3",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5l7.5 4.5L5 12.5z",
  retry: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.6h-2.6",
  add: "M8 3.5v9M3.5 8h9",
  info: "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 7.3v3.9M8 4.9v.1",
  undo: "M5.5 3.5L2.5 6.5l3 3M2.8 6.5H9a3.7 3.7 0 0 1 0 7.4H6.5",
  redo: "M10.5 3.5l3 3-3 3M13.2 6.5H7a3.7 3.7 0 0 0 0 7.4h2.5",
  code: "M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5",
  list: "M6 4h7.5M6 8h7.5M6 12h7.5M2.6 4h.1M2.6 8h.1M2.6 12h.1",
  filter: "M2.5 4h11M4.5 8h7M6.5 12h3",
  warning: "M8 2.5l6 11H2zM8 6.5v3.2M8 11.6v.1",
  help: "M5.6 6a2.4 2.4 0 1 1 3.6 2.1c-.8.4-1.2.9-1.2 1.7M8 12.2v.1M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z",
  done: "M3 8.5l3.2 3.2L13 4.8",
  mark: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM1.5 8h13M8 1.5c-3.6 4-3.6 9 0 13M8 1.5c3.6 4 3.6 9 0 13",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  save: "M8 2.5v7M5 6.8l3 3 3-3M3 12.5h10",
  detail: "M2.5 3h11v10h-11zM9.5 3v10",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  out: "M6.5 3.5h-3v9h9v-3M9 3h4v4M13 3L7.5 8.5",
  up: "M4 10l4-4 4 4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number | undefined }) {
  return (
    <svg class="idc-svg" viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: IconName;
  /** Its name for whoever cannot see it. */
  label: string;
  size?: number;
}

/** Props of a button that cannot be used now: with `disabled` it would lose the keyboard, and Tab would pass it by. */
export const press = (off: boolean, act: () => void) => ({ "aria-disabled": off, onClick: (): void => void (off || act()) });

/** A button that is an icon. */
export function IconButton({ icon, label, size, class: more = "", ...rest }: IconButtonProps) {
  return (
    <button type="button" class={`idc-icon ${more}`} aria-label={label} {...rest}>
      <Icon name={icon} size={size} />
    </button>
  );
}
