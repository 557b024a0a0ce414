// One stop of Tab for all buttons of a bar; the arrows lead from one to the next.

import { useEffect, useRef } from "preact/hooks";

/** Props of the bar. Where one of its buttons is `chosen`, pressed like a radio button, Tab leads to that one. */
export function useRoving(chosen = false) {
  const ref = useRef<HTMLDivElement>(null);
  const at = useRef<HTMLElement | null>(null);
  const buttons = (): HTMLButtonElement[] => [...(ref.current?.querySelectorAll<HTMLButtonElement>(":scope > button, .idc-tool") ?? [])];
  /** Not those that cannot be used now, but that one where the keyboard is. */
  const usable = (): HTMLButtonElement[] => buttons().filter((b) => b.getAttribute("aria-disabled") !== "true" || b.matches(":focus"));
  const settle = (inside = false): void => {
    const all = buttons();
    const pressed = !inside && chosen && all.find((b) => b.getAttribute("aria-pressed") === "true");
    const stop = pressed || usable().find((b) => b === at.current) || usable()[0];
    for (const b of all) b.tabIndex = b === stop ? 0 : -1;
  };
  useEffect(() => settle()); // buttons come and go
  return {
    ref,
    onFocusIn: (e: FocusEvent): void => {
      at.current = e.target as HTMLElement;
      settle(true);
    },
    onFocusOut: (): void => settle(),
    onKeyDown: (e: KeyboardEvent): void => {
      const all = usable();
      const now = all.indexOf(e.target as HTMLButtonElement);
      const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: -1 }[e.key];
      if (now < 0 || to === undefined) return;
      e.preventDefault();
      e.stopPropagation();
      all.at(to % all.length)!.focus();
    },
  };
}
