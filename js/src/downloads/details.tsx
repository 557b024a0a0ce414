// What is behind a job's bar: its folder, how many files at once, code that loads them, and its series.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Failures, Job, SeriesRow, SeriesState } from "../kernel/protocol";
import { copyText } from "../ui/clipboard";
import { Copyable } from "../ui/copyable";
import { count, duration, plural, size } from "../ui/format";
import { press } from "../ui/icons";
import { useRoving } from "../ui/roving";
import { type Downloads, ended, partText } from "./jobs";
import { SeriesList } from "./list";
import { SeriesView } from "./series";

const FRESH_MS = 700; // between looks at the rows in view while the job is at work

const TABS: [SeriesState | null, string][] = [
  [null, "All"],
  ["active", "Under way"],
  ["queued", "Waiting"],
  ["complete", "Complete"],
  ["failed", "Failed"],
];

interface Props {
  downloads: Downloads;
  job: Job;
  gone: boolean;
  first: SeriesState | null;
}

export function Details({ downloads, job, gone, first }: Props) {
  const [list] = useState(() => new SeriesList(downloads.link, job.id));
  const code = useSignal(false);
  const chosen = useSignal<number>(-1);
  const shownTabs = useRoving(true);
  useEffect(() => {
    list.state.value = first;
    list.refresh();
    return () => list.stop();
  }, [list]);
  // Each piece of news about the job may be about the rows in view.
  const mark = `${job.state}${job.files_done}${job.bytes_in_flight}${job.failed}`;
  const last = useSignal(0);
  useEffect(() => {
    const wait = Math.max(0, last.value + FRESH_MS - performance.now());
    const timer = setTimeout(() => {
      last.value = performance.now();
      list.refresh();
    }, wait);
    return () => clearTimeout(timer);
  }, [mark]);

  const counts = list.counts.value;
  const all = counts ? Object.values(counts).reduce((a, b) => a + b, 0) : job.series_total;
  const row = chosen.value >= 0 && list.version.value >= 0 ? list.at(chosen.value) : undefined;
  return (
    <div class="idc-job-details">
      <div class="idc-job-tools">
        <Folder path={job.path} />
        <button type="button" class="idc-button" aria-expanded={code.value} {...press(gone, () => (code.value = !code.value))}>
          Code and commands
        </button>
        {!ended(job) && <Workers downloads={downloads} job={job} gone={gone} />}
      </div>
      {code.value && <Code downloads={downloads} job={job} />}
      <div class="idc-series-tabs" role="toolbar" aria-label="Series shown" {...shownTabs}>
        {TABS.filter(([s]) => s === null || s === list.state.value || !counts || counts[s] > 0).map(([s, label]) => (
          <button
            key={label}
            type="button"
            class="idc-tab"
            aria-pressed={list.state.value === s}
            onClick={() => {
              chosen.value = -1;
              list.setState(s);
            }}
          >
            {label} <span class="idc-dim">{s === null ? count(all) : counts ? count(counts[s]) : ""}</span>
          </button>
        ))}
      </div>
      <SeriesView list={list} chosen={chosen} label={`Series of ${job.title}`} />
      {list.error.value && (
        <p class="idc-error" role="alert">
          {list.error.value}
        </p>
      )}
      {row && <Chosen key={row.SeriesInstanceUID} downloads={downloads} job={job} row={row} gone={gone} />}
    </div>
  );
}

/** A path that can be copied, by the button or by hand. */
function Folder({ path, label = "Copy path" }: { path: string; label?: string }) {
  const said: Signal<string> = useSignal("");
  return (
    <span class="idc-folder">
      <code>{path}</code>
      <button
        type="button"
        class="idc-link"
        onClick={(e) => {
          const text = e.currentTarget.previousElementSibling!;
          if (copyText(path)) said.value = "Copied";
          else {
            getSelection()?.selectAllChildren(text);
            said.value = "Press Ctrl+C (⌘C)";
          }
        }}
      >
        {said.value || label}
      </button>
      <span class="idc-hidden" role="status">
        {said.value}
      </span>
    </span>
  );
}

function Workers({ downloads, job, gone }: { downloads: Downloads; job: Job; gone: boolean }) {
  const typed = useSignal<string | null>(null);
  const value = Number(typed.value ?? job.workers);
  const valid = Number.isInteger(value) && value >= 1 && value <= 512;
  return (
    <form
      class="idc-workers"
      onSubmit={async (e) => {
        e.preventDefault();
        if (valid && !gone && (await downloads.command("workers", job.id, { workers: value }))) typed.value = null;
      }}
    >
      <label>
        Files at once
        <input
          class="idc-input"
          type="number"
          min={1}
          max={512}
          value={typed.value ?? job.workers}
          aria-invalid={!valid}
          onInput={(e) => (typed.value = e.currentTarget.value)}
          onKeyDown={(e) => e.stopPropagation()}
        />
      </label>
      {typed.value !== null && value !== job.workers && (
        <button type="submit" class="idc-button" aria-disabled={!valid || gone}>
          {valid ? "Set" : "1 to 512"}
        </button>
      )}
    </form>
  );
}

function Code({ downloads, job }: { downloads: Downloads; job: Job }) {
  const ways = useSignal<{ label: string; text: string }[]>([]);
  const at = useSignal(0);
  const trouble = useSignal("");
  const tabs = useRoving(true);
  useEffect(() => {
    downloads.link.request<{ label: string; text: string }[]>("code", { job: job.id }).then(
      (found) => (ways.value = found),
      (e: Error) => (trouble.value = e.message),
    );
  }, []);
  const way = ways.value[at.value];
  return (
    <div class="idc-job-code">
      <div class="idc-series-tabs" role="toolbar" aria-label="Code for" {...tabs}>
        {ways.value.map((w, i) => (
          <button key={w.label} type="button" class="idc-tab" aria-pressed={i === at.value} onClick={() => (at.value = i)}>
            {w.label}
          </button>
        ))}
      </div>
      {trouble.value && (
        <p class="idc-error" role="alert">
          {trouble.value}
        </p>
      )}
      {way && <Copyable key={way.label} text={way.text} label={way.label} />}
    </div>
  );
}

/** The series that is looked at: what the list has no room for. */
function Chosen({ downloads, job, row, gone }: { downloads: Downloads; job: Job; row: SeriesRow; gone: boolean }) {
  const failures = useSignal<Failures | null>(null);
  useEffect(() => {
    if (row.state !== "failed") return;
    downloads.link.request<Failures>("failures", { job: job.id, series: row.SeriesInstanceUID }).then(
      (found) => (failures.value = found),
      () => {},
    );
  }, [row.state]);
  return (
    <div class="idc-chosen" role="group" aria-label="The series chosen">
      <Folder path={row.path} />
      <span class="idc-dim">
        {partText(Math.min(row.bytes, row.bytes_done + row.bytes_in_flight), row.bytes)}, {count(row.files_done)} of {plural(row.files, "file")}
        {row.bytes_in_flight > 0 && `, ${size(row.bytes_in_flight)} under way`}
      </span>
      {row.state === "queued" && !ended(job) && (
        <button
          type="button"
          class="idc-button"
          {...press(gone || downloads.asked.value.has(`next ${job.id}`), () => void downloads.command("next", job.id, { series: row.SeriesInstanceUID }))}
        >
          Fetch this next
        </button>
      )}
      {row.reason && (
        <p class={row.state === "failed" ? "idc-bad" : "idc-dim"}>
          {row.state === "retrying" && `Tried again in ${duration(row.retry_in ?? 0)}: `}
          {row.reason}
        </p>
      )}
      {failures.value && (
        <ul class="idc-reasons">
          {failures.value.failures.map((f) => (
            <li key={f.key}>
              <code>{f.key}</code> {f.reason}
            </li>
          ))}
          {failures.value.more > 0 && <li>and {count(failures.value.more)} more</li>}
        </ul>
      )}
    </div>
  );
}
