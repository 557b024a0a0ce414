// A button and the box that it opens: closed by Escape, a click elsewhere, or the button once more.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons";

interface Props {
  label: string;
  icon: IconName;
  /** Said of the box to screen readers. */
  title: string;
  children: (close: () => void) => ComponentChildren;
}

export function Popover({ label, icon, title, children }: Props) {
  const [open, setOpen] = useState(false);
  const home = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    home.current?.querySelector<HTMLElement>(".idc-popover input, .idc-popover button")?.focus();
    const outside = (e: Event): void => {
      if (!e.composedPath().includes(home.current!)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside, true);
    return () => document.removeEventListener("pointerdown", outside, true);
  }, [open]);
  return (
    <div
      ref={home}
      class="idc-popover-home"
      onKeyDown={(e) => {
        if (e.key === "Escape" && open) {
          e.stopPropagation();
          close();
        } else if (open) e.stopPropagation(); // what is typed here is no shortcut of the notebook
      }}
    >
      <button
        ref={button}
        type="button"
        class="idc-tool"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={label}
        title={title}
        onClick={() => setOpen(!open)}
      >
        <Icon name={icon} /> <span class="idc-tool-label">{label}</span>
      </button>
      {open && (
        <div class="idc-popover" role="dialog" aria-label={title} tabIndex={-1}>
          {children(close)}
        </div>
      )}
    </div>
  );
}
