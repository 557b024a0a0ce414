// Whether somebody is at a part of the page: with the pointer, or with the keyboard.

import { type ReadonlySignal, signal } from "@preact/signals";

/** Follows both until the signal of `abort` says so. */
export function presence(element: HTMLElement, abort: AbortSignal): ReadonlySignal<boolean> {
  const here = signal(false);
  let pointer = element.matches(":hover");
  const held = (): boolean => element.contains((element.getRootNode() as Document | ShadowRoot).activeElement ?? null);
  let focus = held();
  const on = (type: string, see: (e: Event) => void): void =>
    element.addEventListener(type, (e) => (see(e), (here.value = pointer || focus)), { signal: abort });
  on("pointerenter", () => (pointer = true));
  on("pointerleave", () => (pointer = false));
  on("focusin", () => (focus = true));
  on("focusout", (e) => {
    const to = (e as FocusEvent).relatedTarget as Element | null;
    const dialog = to?.closest?.("dialog");
    focus = element.contains(to) || !!dialog;
    // A menu gives the focus back to the place that it had: it must be the same value's still.
    dialog?.addEventListener("close", () => setTimeout(() => (here.value = pointer || (focus = held()))), { once: true, signal: abort });
  });
  here.value = pointer || focus;
  return here;
}
