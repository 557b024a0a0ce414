// One job: its bar, what it is at, and what can be asked of it.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Job, SeriesState } from "../kernel/protocol";
import { count, plural } from "../ui/format";
import { Icon, IconButton, type IconName, press } from "../ui/icons";
import { Details } from "./details";
import { Ends } from "./ends";
import { active, type Downloads, ended, fractions, paceText, partText, stateText, why } from "./jobs";

interface RowProps {
  downloads: Downloads;
  job: Job;
  /** Whether this is how it stood a while ago. */
  old: boolean;
  gone: boolean;
  /** Whether the view is of this job alone, which cannot leave it. */
  single?: boolean;
}

export function JobRow({ downloads, job, old, gone, single = false }: RowProps) {
  const open = useSignal<SeriesState | "all" | "">("");
  const question = useSignal(false);
  const cancel = useRef<HTMLButtonElement>(null);
  const arrived = downloads.shown(job);
  const { done, flight } = fractions(job, arrived);
  const { speed, left } = old ? { speed: "", left: "" } : paceText(job);
  const bytes = partText(arrived, job.bytes_total);
  const files = job.state === "complete" ? plural(job.files_total, "file") : `${count(job.files_done)} of ${plural(job.files_total, "file")}`;
  const status = stateText(job);
  const reason = why(job);
  const button = (op: string, icon: IconName, label: string, act = (): void => void downloads.command(op, job.id)) => (
    <button
      key={op}
      ref={op === "cancel" ? cancel : null}
      type="button"
      class="idc-icon"
      aria-label={`${label} ${job.title}`}
      title={label}
      {...press(gone || downloads.asked.value.has(`${op} ${job.id}`), act)}
    >
      <Icon name={icon} />
    </button>
  );
  const answer = (keep: boolean | null): void => {
    question.value = false;
    if (keep === null) cancel.current?.focus();
    else void downloads.command("cancel", job.id, { keep });
  };
  return (
    <div class={`idc-job idc-job-${job.kind}`} role="listitem">
      <div class="idc-job-line">
        <IconButton
          icon={open.value ? "down" : "right"}
          class="idc-twist"
          aria-expanded={open.value !== ""}
          label={`Series of ${job.title}`}
          title="Series, folder, code"
          onClick={() => (open.value = open.value ? "" : "all")}
        />
        <span class="idc-job-title" title={job.title}>
          {job.title}
        </span>
        <span class="idc-job-state">
          {job.kind === "complete" && <Icon name="done" size={14} />}
          {(job.kind === "failed" || job.kind === "incomplete") && <Icon name="warning" size={14} />}
          {status}
        </span>
        <Ends class="idc-job-folder" path={job.path} shown={job.path} />
        <span class="idc-job-figures">
          <span>{bytes}</span>
          <span>{files}</span>
          {speed && <span>{speed}</span>}
          {left && <span>{left}</span>}
        </span>
        <span class="idc-job-buttons">
          {active(job) && button("pause", "pause", "Pause")}
          {job.state === "paused" && button("resume", "play", "Resume")}
          {job.state === "failed" && button("retry", "retry", job.kind === "incomplete" ? "Retry what failed of" : "Go on with")}
          {!ended(job) && button("cancel", "close", "Cancel", () => void (question.value = true))}
          {ended(job) && !single && button("away", "close", "Remove from view", () => void downloads.putAway([job.id]))}
        </span>
      </div>
      <div
        class="idc-progress"
        role="progressbar"
        aria-label={job.title}
        aria-valuemin={0}
        aria-valuemax={Math.max(1, job.bytes_total)}
        aria-valuenow={job.state === "complete" ? Math.max(1, job.bytes_total) : arrived}
        aria-valuetext={[status, bytes, files, speed, left].filter(Boolean).join(", ")}
      >
        <i style={{ transform: `scaleX(${done})` }} />
        <u style={{ transform: `translateX(${done * 100}%) scaleX(${flight})` }} />
      </div>
      {question.value && !ended(job) && <CancelQuestion job={job} answer={answer} />}
      {(reason || job.failed > 0) && (
        <div class="idc-job-notes">
          {reason && <span class={ended(job) ? "idc-bad" : "idc-dim"}>{reason}</span>}
          {job.failed > 0 && open.value !== "failed" && (
            <button type="button" class="idc-link" onClick={() => (open.value = "failed")}>
              Show what failed
            </button>
          )}
        </div>
      )}
      {open.value && <Details key={open.value} downloads={downloads} job={job} gone={gone} first={open.value === "all" ? null : open.value} />}
    </div>
  );
}

/** What becomes of the series that are complete. */
function CancelQuestion({ job, answer }: { job: Job; answer(keep: boolean | null): void }) {
  const here = job.series_done;
  return (
    <Question label={`Cancel ${job.title}`} onEscape={() => answer(null)}>
      <span>
        Cancel this download for good?{" "}
        {here ? `${count(here)} of ${plural(job.series_total, "series", "series")} are complete.` : "No series is complete yet."}
      </span>
      <button type="button" class="idc-button" onClick={() => answer(true)}>
        {here ? "Cancel, keep those" : "Cancel the download"}
      </button>
      {here > 0 && (
        <button type="button" class="idc-button idc-danger" onClick={() => answer(false)}>
          Cancel and delete them
        </button>
      )}
      <button type="button" class="idc-button" onClick={() => answer(null)}>
        Go on
      </button>
    </Question>
  );
}

function Question({ label, onEscape, children }: { label: string; onEscape(): void; children: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current!.querySelector<HTMLElement>("button:last-child")!.focus(), []);
  return (
    <div
      ref={box}
      class="idc-question"
      role="alertdialog"
      aria-label={label}
      onKeyDown={(e) => {
        if (e.key !== "Escape") return;
        e.stopPropagation();
        onEscape();
      }}
    >
      {children}
    </div>
  );
}
