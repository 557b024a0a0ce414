// The selection bar: what is ticked, where it goes, and the button that fetches it.

import { computed, effect, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Downloads } from "../downloads/jobs";
import type { Provider, SelectionTotals } from "../kernel/protocol";
import type { Store } from "../state/store";
import { NONE, nothing } from "../state/ticks";
import { count, plural, size } from "../ui/format";
import { CopyUids } from "./copy";
import { LicenceTag } from "./licence";
import { PlanDetails, PlanLine } from "./plan";

type Reply = { job: string } | { confirm: string };

/** Why a download cannot start, in words; "" when it can. What ends in "…" is only waited for. */
export function obstacle(store: Store): string {
  if (nothing(store.ticks.value)) return "Tick series in the table to download them.";
  const selection = store.selection.value;
  if (store.selectionError.value) return store.selectionError.value;
  if (!store.live.value) return "A download needs a running kernel: run the cell again.";
  if (!selection) return "Adding up what is ticked…";
  if (selection.series === 0) return "No series is ticked.";
  if (!store.destination.value.trim()) return "Say where to save: a folder, such as idc-data.";
  const answer = store.destinationInfo.value;
  if (!answer || answer.to !== store.destination.value) return "Looking at the destination…";
  const info = answer.value;
  if (!info) return answer.error;
  if (info.problem) return info.problem;
  if (!info.writable) return `${info.path} cannot be written to; choose another folder.`;
  const plan = store.plan.value?.value;
  if (plan?.problem) return plan.problem;
  const need = plan?.need ?? selection.bytes;
  if (info.free === null || need <= info.free) return "";
  // Part of it may be there already.
  if (!plan && store.planning.value && !store.plan.value) return "Looking at what is there already…";
  return `${size(need)} do not fit: ${info.path} has ${size(info.free)} free.`;
}

interface BarProps {
  store: Store;
  id: string;
  downloads: Downloads | null;
}

export function SelectionBar({ store, id, downloads }: BarProps) {
  const busy = useSignal(false);
  const question = useSignal("");
  const error = useSignal("");
  const planned = useSignal(false);
  /** Pressed while an answer was on its way: begins with that. */
  const wanted = useSignal(false);
  const plan = store.plan.value?.value;
  const why = obstacle(store);
  // What a download brings need not be fetched again: one that begins or ends, whoever began it, is another plan.
  useEffect(() => {
    if (!downloads) return;
    const known = computed(() => [downloads.endedCount.value, ...downloads.jobs.value.map((j) => j.id)].join());
    return effect(() => {
      if (known.value !== "0") store.fetched.value = store.fetched.peek() + 1;
    });
  }, [downloads]);
  // A question is about what was ticked when it was asked.
  useSignalEffect(() => {
    store.ticks.value;
    store.destination.value;
    store.provider.value;
    wanted.value = false;
    question.value = "";
    error.value = "";
  });
  // The bar says itself that nothing is ticked, or that it is adding up.
  const quiet = !why || nothing(store.ticks.value) || store.selection.value === null || question.value !== "";

  const download = async (confirmed: boolean): Promise<void> => {
    busy.value = true;
    error.value = "";
    question.value = "";
    const payload = { ticks: store.ticks.value, destination: store.destination.value, provider: store.provider.value };
    store.flush();
    try {
      const reply = await store.link.request<Reply>("download", confirmed ? { ...payload, confirmed } : payload);
      if ("confirm" in reply) question.value = reply.confirm;
      else store.fetched.value++;
    } catch (e) {
      error.value = e instanceof Error ? e.message : String(e);
    } finally {
      busy.value = false;
    }
  };

  const waits = why.endsWith("…");
  useEffect(() => {
    if (!wanted.value || waits) return;
    wanted.value = false;
    if (!why) void download(false);
  }, [wanted.value, why]);
  const begin = (): void => {
    if (busy.value || question.value) return;
    if (waits) wanted.value = true;
    else if (!why) void download(false);
  };
  return (
    <div class="idc-selection" role="group" aria-label="Selection">
      <div class="idc-selection-line">
        <div class="idc-summary">
          <Summary store={store} />
          <PlanLine store={store} downloads={downloads} open={planned} />
        </div>
        <div class="idc-fetch">
          <DestinationField store={store} id={id} />
          <select
            class="idc-input idc-cloud"
            aria-label="Download from "
            title="The cloud to download from: both hold the same files"
            value={store.provider.value}
            onChange={(e) => store.setProvider(e.currentTarget.value as Provider)}
          >
            <option value="aws">from AWS</option>
            <option value="gcs">from Google Cloud</option>
          </select>
          <button
            type="button"
            class="idc-button idc-primary"
            aria-describedby={`${id}-why`}
            aria-disabled={why !== "" || busy.value || question.value !== ""}
            onClick={begin}
          >
            {busy.value || wanted.value ? "Starting…" : "Download"}
          </button>
        </div>
      </div>
      {planned.value && plan && <PlanDetails plan={plan} />}
      <p id={`${id}-why`} class={quiet ? "idc-hidden" : "idc-why"}>
        {why}
      </p>
      {question.value && (
        <div class="idc-question" role="alertdialog" aria-label="Confirm the download" aria-describedby={`${id}-question`}>
          <span id={`${id}-question`}>{question.value}</span>
          <button type="button" class="idc-button idc-primary" onClick={() => void download(true)}>
            Download anyway
          </button>
          <button type="button" class="idc-button" onClick={() => (question.value = "")}>
            Cancel
          </button>
        </div>
      )}
      {error.value && (
        <p class="idc-error" role="alert">
          {error.value}
        </p>
      )}
    </div>
  );
}

function Summary({ store }: { store: Store }) {
  const ticks = store.ticks.value;
  if (nothing(ticks)) return <div class="idc-ticked idc-dim">Nothing ticked yet. Tick series in the table to download them.</div>;
  const hidden = store.hidden.value;
  const s: SelectionTotals | null = store.selection.value;
  // Single ticks are counted at once; the rest only the kernel knows.
  const series = s?.series ?? (ticks.base === null ? ticks.plus.length : null);
  return (
    <div class={`idc-ticked${s || store.selectionError.value ? "" : " idc-pending"}`} aria-busy={!s}>
      <span>
        <b>{series === null ? "…" : count(series)}</b> series ticked
      </span>
      {s && <span>{plural(s.patients, "patient")}</span>}
      {s && <b>{size(s.bytes)}</b>}
      {hidden !== null && hidden > 0 && (
        <span class="idc-dim" title="Ticks stay when filters change; “Only ticked” shows them all.">
          {count(hidden)} not among what the filters show
        </span>
      )}
      {s?.licences.map((l) => <LicenceTag key={l.name} licence={l} figures={s.licences.length === 1 ? "" : count(l.series)} />)}
      {s && <CopyUids store={store} series={s.series} />}
      <button type="button" class="idc-link" onClick={() => store.setTicks(NONE)}>
        Untick all
      </button>
    </div>
  );
}

function DestinationField({ store, id }: { store: Store; id: string }) {
  const answer = store.destinationInfo.value;
  const info = answer && answer.to === store.destination.value ? answer.value : null;
  return (
    <div class="idc-destination">
      <label for={`${id}-to`}>Save to</label>
      <div class="idc-destination-field">
        <input
          id={`${id}-to`}
          class="idc-input"
          type="text"
          spellcheck={false}
          autocomplete="off"
          placeholder="folder"
          value={store.destination.value}
          aria-describedby={`${id}-place`}
          onInput={(e) => store.setDestination(e.currentTarget.value)}
          onKeyDown={(e) => e.stopPropagation()}
        />
        <span id={`${id}-place`} class="idc-place" title={info?.path}>
          {info ? (
            <>
              <span class="idc-path">{info.path === store.destination.value ? "" : info.path}</span>
              {info.free !== null && <span class="idc-free">{size(info.free)} free</span>}
            </>
          ) : (
            <span class="idc-path"> </span>
          )}
        </span>
      </div>
    </div>
  );
}
