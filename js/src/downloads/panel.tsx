// The download panel: one row a job, ended ones of long ago folded away.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { count, plural } from "../format";
import { Icon, type IconName } from "../icons";
import type { Failures, Job } from "../link/protocol";
import { active, bytesText, type Downloads, fractions, type Op, paceText, stateText } from "./jobs";

const ENDED_SHOWN = 2;

export function DownloadPanel({ downloads, alone = false }: { downloads: Downloads; alone?: boolean }) {
  const all = useSignal(false);
  useEffect(() => downloads.attach(), [downloads]);
  const jobs = downloads.jobs.value;
  if (!jobs.length && !alone) return null;
  const running = jobs.filter(active);
  const ended = jobs.filter((j) => !active(j));
  const shown = all.value ? ended : ended.slice(0, Math.max(0, ENDED_SHOWN - Math.max(0, running.length - 1)));
  const hidden = ended.length - shown.length;
  return (
    <div class="idc-downloads" role="region" aria-label="Downloads">
      {!jobs.length && <p class="idc-none">No downloads yet.</p>}
      {[...running, ...shown].map((j) => (
        <JobRow key={j.id} downloads={downloads} job={j} />
      ))}
      {(hidden > 0 || all.value) && (
        <button type="button" class="idc-link idc-earlier" aria-expanded={all.value} onClick={() => (all.value = !all.value)}>
          {all.value ? "Show fewer downloads" : plural(hidden, "earlier download")}
        </button>
      )}
      {downloads.error.value && (
        <p class="idc-error" role="alert">
          {downloads.error.value}
        </p>
      )}
    </div>
  );
}

function JobRow({ downloads, job }: { downloads: Downloads; job: Job }) {
  const reasons = useSignal<Failures | null>(null);
  const open = useSignal(false);
  const trouble = useSignal("");
  const { done, flight } = fractions(job);
  const { speed, left } = paceText(job);
  const files = job.state === "complete" ? plural(job.files_total, "file") : `${count(job.files_done)} of ${plural(job.files_total, "file")}`;
  const status = stateText(job);
  const show = async (): Promise<void> => {
    open.value = !open.value;
    if (!open.value) return;
    try {
      trouble.value = "";
      reasons.value = await downloads.failures(job.id);
    } catch (e) {
      trouble.value = e instanceof Error ? e.message : String(e);
    }
  };
  const command = (op: Op, icon: IconName, label: string) => (
    <button
      key={op}
      type="button"
      class="idc-icon"
      aria-label={`${label} ${job.title}`}
      title={label}
      disabled={downloads.asked.value.has(`${op} ${job.id}`)}
      onClick={() => void downloads.command(op, job.id)}
    >
      <Icon name={icon} />
    </button>
  );
  return (
    <div class={`idc-job idc-job-${job.state}`}>
      <div class="idc-job-line">
        <span class="idc-job-title" title={`${job.title}\n${job.path}`}>
          {job.title}
        </span>
        <span class="idc-job-state">
          {job.state === "complete" && <Icon name="done" size={14} />}
          {job.state === "failed" && <Icon name="warning" size={14} />}
          {status}
        </span>
        <span class="idc-job-figures">
          <span>{bytesText(job)}</span>
          <span>{files}</span>
          {speed && <span>{speed}</span>}
          {left && <span>{left}</span>}
        </span>
        <span class="idc-job-buttons">
          {["queued", "listing", "running"].includes(job.state) && command("pause", "pause", "Pause")}
          {job.state === "paused" && command("resume", "play", "Resume")}
          {job.state === "failed" && command("retry", "retry", "Retry")}
          {active(job) && command("cancel", "close", "Cancel")}
        </span>
      </div>
      <div
        class="idc-progress"
        role="progressbar"
        aria-label={job.title}
        aria-valuemin={0}
        aria-valuemax={Math.max(1, job.bytes_total)}
        aria-valuenow={job.state === "complete" ? Math.max(1, job.bytes_total) : job.bytes_done}
        aria-valuetext={[status, bytesText(job), files, speed, left].filter(Boolean).join(", ")}
      >
        <i style={{ transform: `scaleX(${done})` }} />
        <u style={{ transform: `translateX(${done * 100}%) scaleX(${flight})` }} />
      </div>
      {(job.error || job.failed > 0) && (
        <div class="idc-job-notes">
          {job.error && <span class="idc-bad">{job.error}</span>}
          {job.failed > 0 && (
            <button type="button" class="idc-link" aria-expanded={open.value} onClick={() => void show()}>
              {open.value ? "Hide reasons" : "Show reasons"}
            </button>
          )}
        </div>
      )}
      {open.value && (
        <div class="idc-reasons">
          {trouble.value && <p class="idc-error" role="alert">{trouble.value}</p>}
          {!reasons.value && !trouble.value && <p class="idc-none">Reading the reasons…</p>}
          {reasons.value && (
            <ul>
              {reasons.value.failures.map((f) => (
                <li key={f.key}>
                  <code title={f.series_uid}>{f.key}</code> <span>{f.reason}</span>
                </li>
              ))}
              {reasons.value.more > 0 && <li>and {count(reasons.value.more)} more</li>}
            </ul>
          )}
        </div>
      )}
    </div>
  );
}
