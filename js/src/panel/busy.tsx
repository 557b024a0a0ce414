// What stands where the kernel's answer will be.

import type { Store } from "../link/store";

/** Says that something is on its way and, when the kernel is busy, why not yet: "the counts follow". */
export function OnItsWay({ store, what, meanwhile }: { store: Store; what: string; meanwhile: string }) {
  return (
    <span class="idc-dim" role="status">
      {store.link.waiting.value ? `The kernel is busy; ${what}.` : meanwhile}
    </span>
  );
}
