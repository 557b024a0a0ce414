// Saving the table as a file: the kernel writes it, this says what, where and how far.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Saving } from "../kernel/protocol";
import { IDENTIFIERS, noun } from "../state/levels";
import type { Store } from "../state/store";
import { nothing } from "../state/ticks";
import { copyText } from "../ui/clipboard";
import { count, size } from "../ui/format";
import { IconButton } from "../ui/icons";
import type { Question } from "./tree";

const LOOK_MS = 250;
const FORMATS = { csv: "CSV", parquet: "Parquet", s5cmd: "Manifest" };

type Format = keyof typeof FORMATS;

type Reply = (Saving & { saving: number }) | { confirm: string };

export function Save({ store, question, total, close }: { store: Store; question: Question | null; total: number; close: () => void }) {
  const format = useSignal<Format>("csv");
  const all = useSignal(false);
  const path = useSignal("");
  const asks = useSignal("");
  const error = useSignal("");
  const job = useSignal<(Saving & { saving: number }) | null>(null);
  const level = question?.level ?? "series";
  const shown = question?.columns ?? [];
  // Rows that nothing identifies could not be found again.
  const unshown = IDENTIFIERS[level].filter((c) => !shown.includes(c));
  const only = question?.only != null && !nothing(question.only);
  const file = path.value || `idc-${noun(level, true)}.${format.value}`;
  const manifest = format.value === "s5cmd";
  const running = job.value?.state === "running";

  useEffect(() => {
    if (!running) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const { saving } = job.peek()!;
    const look = (): void => {
      store.link.request<Saving>("saved", { saving }).then(
        (now) => {
          if (gone) return;
          job.value = { ...now, saving };
          if (now.state === "running") timer = setTimeout(look, LOOK_MS);
          else if (now.state === "failed") error.value = now.error;
        },
        (e: Error) => !gone && (error.value = e.message),
      );
    };
    timer = setTimeout(look, LOOK_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [running]);

  const choose = (kind: Format): void => {
    format.value = kind;
    path.value = path.value.replace(/\.(csv|parquet|s5cmd)$/, `.${kind}`);
    asks.value = error.value = "";
  };
  const start = (confirmed: boolean): void => {
    if (!question) return;
    error.value = asks.value = "";
    job.value = null;
    const { where, sort, only } = question;
    const columns = all.value ? [] : [...shown, ...unshown];
    store.link
      .request<Reply>("save", { where, level, sort, only, columns, format: format.value, path: file, confirmed })
      .then(
        (r) => ("confirm" in r ? (asks.value = r.confirm) : (job.value = r)),
        (e: Error) => (error.value = e.message),
      );
  };
  const done = job.value;
  return (
    <form
      class="idc-save"
      onSubmit={(e) => {
        e.preventDefault();
        if (!running) start(false);
      }}
    >
      <div class="idc-popover-head">
        <strong>Save {only ? "what is ticked" : "the table"} as a file</strong>
        <IconButton icon="close" label="Close" onClick={close} />
      </div>
      <p class="idc-dim">
        {count(total)} {noun(level, total !== 1)}{manifest ? "" : ", in this order"}. The notebook's kernel writes it; images are not in it.
      </p>
      <fieldset>
        <legend>Format</legend>
        {(Object.keys(FORMATS) as Format[]).map((kind) => (
          <label key={kind}>
            <input type="radio" name="format" checked={format.value === kind} onChange={() => choose(kind)} /> {FORMATS[kind]}
          </label>
        ))}
      </fieldset>
      {manifest ? (
        <p class="idc-dim">A line for each series, for s5cmd or idc-index on another machine.</p>
      ) : (
        <fieldset>
          <legend>Columns</legend>
          <label>
            <input type="radio" name="columns" checked={!all.value} onChange={() => (all.value = false)} /> {["the " + shown.length + " shown", ...unshown].join(" and ")}
          </label>
          <label>
            <input type="radio" name="columns" checked={all.value} onChange={() => (all.value = true)} /> all
          </label>
        </fieldset>
      )}
      <label class="idc-save-path">
        File
        <input
          class="idc-input"
          type="text"
          spellcheck={false}
          value={file}
          onInput={(e) => {
            path.value = e.currentTarget.value;
            asks.value = error.value = "";
          }}
        />
      </label>
      {asks.value ? (
        <div class="idc-save-line" role="alertdialog" aria-label="Replace the file">
          <span>{asks.value}</span>
          <button type="button" class="idc-button" onClick={() => start(true)}>
            Replace
          </button>
        </div>
      ) : (
        <div class="idc-save-line">
          {running ? (
            <button type="button" class="idc-button" onClick={() => void store.link.request("stop_saving", { saving: job.value!.saving }).catch(() => {})}>
              Stop
            </button>
          ) : (
            <button type="submit" class="idc-button idc-primary" aria-disabled={!question}>
              Save
            </button>
          )}
          {running && (
            <progress class="idc-save-progress" max={1} value={done!.share} aria-label={`Writing ${done!.path}`} />
          )}
        </div>
      )}
      <p role="status" class="idc-saved">
        {done?.state === "running" && `Writing ${done.path}, ${Math.round(done.share * 100)} %`}
        {done?.state === "stopped" && "Stopped; no file was left."}
        {done?.state === "done" && (
          <>
            Saved {count(done.rows)} {done.path.endsWith(".s5cmd") ? "series" : "rows"}, {size(done.bytes)}: <span class="idc-saved-path">{done.path}</span>{" "}
            <button type="button" class="idc-link" onClick={() => copyText(done.path)}>
              Copy path
            </button>
          </>
        )}
      </p>
      {error.value && (
        <p class="idc-error" role="alert">
          {error.value}
        </p>
      )}
    </form>
  );
}
