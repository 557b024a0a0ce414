// Copying the UIDs of what is ticked. Only the kernel knows them all, and the page may copy only soon after a press.

import { useSignal, useSignalEffect } from "@preact/signals";
import type { Store } from "../state/store";
import { copyNow } from "../ui/clipboard";
import { Copyable } from "../ui/copyable";
import { Dialog } from "../ui/dialog";
import { count, plural } from "../ui/format";
import { press } from "../ui/icons";

const MOST = 50_000; // series; the kernel refuses more, too

export function CopyUids({ store, series }: { store: Store; series: number }) {
  const said = useSignal("");
  const late = useSignal("");
  const busy = useSignal(false);
  useSignalEffect(() => {
    store.ticks.value;
    said.value = "";
  });
  const copy = async (): Promise<void> => {
    if (series > MOST) {
      said.value = `More than ${count(MOST)} are not copied: “Only ticked” shows them, Save writes them to a file.`;
      return;
    }
    busy.value = true;
    const ticks = store.ticks.peek();
    try {
      const uids = await store.link.request<string[]>("uids", { ticks });
      if (ticks !== store.ticks.peek()) return;
      const text = uids.join("\n");
      if (copyNow(text)) said.value = `${plural(uids.length, "UID")} copied.`;
      else late.value = text;
    } catch (e) {
      said.value = e instanceof Error ? e.message : String(e);
    } finally {
      busy.value = false;
    }
  };
  return (
    <>
      <button type="button" class="idc-link" title="The SeriesInstanceUIDs, one a line" {...press(busy.value, () => void copy())}>
        Copy UIDs
      </button>
      <span class="idc-dim" role="status">
        {said.value}
      </span>
      {late.value && (
        <Dialog title={`SeriesInstanceUIDs of the ${count(series)} series ticked`} onClose={() => (late.value = "")}>
          <Copyable text={late.value} label="SeriesInstanceUIDs" rows={12} />
        </Dialog>
      )}
    </>
  );
}
