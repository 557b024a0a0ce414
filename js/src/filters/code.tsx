// The cohort as code, Python and SQL, and what to cite for it; written by the kernel.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Store } from "../state/store";
import { Copyable } from "../ui/copyable";
import { Dialog } from "../ui/dialog";
import { OnItsWay } from "./busy";

const FLAVOURS = [
  ["idc_widgets", "Python", "Makes the cohort in a fresh interpreter."],
  ["duckdb", "SQL (DuckDB)", "Runs as it stands on the index of this machine."],
  ["bigquery", "SQL (BigQuery)", "GoogleSQL for IDC's public dataset of this version."],
  ["idc-index", "idc-index", "Python that needs only IDC's own client."],
  ["citations", "Citations", "What to cite, with the licences to keep to."],
] as const;

export function CodeDialog({ store, onClose }: { store: Store; onClose(): void }) {
  const flavour = useSignal<string>(FLAVOURS[0][0]);
  const answer = useSignal<{ to: string; text?: string; error?: string } | null>(null);
  const where = store.where.value;
  useEffect(() => {
    const to = flavour.value;
    answer.value = null;
    let gone = false;
    store.link.request<{ text: string }>("code", { where, flavour: to }).then(
      ({ text }) => !gone && (answer.value = { to, text }),
      (e: Error) => !gone && (answer.value = { to, error: e.message }),
    );
    return () => {
      gone = true;
    };
  }, [flavour.value, where]);
  const shown = answer.value;
  return (
    <Dialog title="This cohort as code, and what to cite" onClose={onClose} wide>
      <div class="idc-tabs" role="group" aria-label="Language">
        {FLAVOURS.map(([name, label]) => (
          <button
            key={name}
            type="button"
            class="idc-preset"
            aria-pressed={flavour.value === name}
            onClick={() => (flavour.value = name)}
          >
            {label}
          </button>
        ))}
      </div>
      <p class="idc-dim">{FLAVOURS.find(([name]) => name === flavour.value)![2]}</p>
      {shown?.text !== undefined && <Copyable key={shown.to} text={shown.text} label={shown.to === "citations" ? "Citations" : "Code"} />}
      {shown?.error && <p class="idc-error" role="alert">{shown.error}</p>}
      {!shown && <OnItsWay store={store} what="the code follows" meanwhile="Writing…" />}
    </Dialog>
  );
}
