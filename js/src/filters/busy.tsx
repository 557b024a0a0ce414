// What stands where the kernel's answer will be.

import type { Store } from "../state/store";

/** Says that something is on its way and, when that takes long, what is waited for: "the counts follow". */
export function OnItsWay({ store, what, meanwhile }: { store: Store; what: string; meanwhile: string }) {
  return (
    <span class="idc-dim" role="status">
      {store.link.waiting.value ? `The kernel has not answered yet; ${what}.` : meanwhile}
    </span>
  );
}
