// What the catalogue is busy with, such as the first build of its cache.

import { useSignal } from "@preact/signals";
import type { Store } from "../state/store";
import { IconButton } from "../ui/icons";

/** Over the view, since nothing may move when it comes and goes. */
export function Status({ store }: { store: Store }) {
  const read = useSignal("");
  const text = store.catalog.value?.status ?? "";
  return (
    <div role="status">
      {text && text !== read.value && (
        <p class="idc-note idc-status">
          {text}
          <IconButton icon="close" size={14} label="Dismiss" onClick={() => (read.value = text)} />
        </p>
      )}
    </div>
  );
}
