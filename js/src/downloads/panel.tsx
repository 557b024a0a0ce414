// The download panel: one row a job, ended ones of long ago folded away.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { count, plural } from "../ui/format";
import { Icon } from "../ui/icons";
import { JobRow } from "./job";
import { type Downloads, ended, stateText } from "./jobs";

const STEP = 50;

interface Props {
  downloads: Downloads;
  /** Whether the panel is a view of its own. */
  alone?: boolean;
  /** Whether the kernel has ended. */
  gone: boolean;
}

export function DownloadPanel({ downloads, alone = false, gone }: Props) {
  const extra = useSignal(0);
  useEffect(() => downloads.attach(), [downloads]);
  const single = Boolean(downloads.model.get("_single"));
  const running = downloads.jobs.value;
  const past = downloads.past.value;
  const total = Math.max(downloads.endedCount.value, past.length);
  const least = Math.max(alone ? 1 : 0, (alone ? 8 : 2) - running.length);
  const shown = past.slice(0, least + extra.value);
  const hidden = total - shown.length;
  if (!running.length && !total && !alone) return null;
  const old = gone || (downloads.quiet.value && running.length > 0);
  return (
    <div class={`idc-downloads${old ? " idc-old" : ""}`} role="region" aria-label="Downloads">
      <Announcer downloads={downloads} />
      {old && (running.length > 0 || !alone) && (
        <p class="idc-old-note" role="status">
          As of {downloads.heard.toLocaleTimeString()}, when the kernel was last heard; downloads go on.
        </p>
      )}
      {!running.length && !total && <Empty />}
      {(running.length > 0 || total > 0) && (
        <div role="list" aria-label="Jobs">
          {[...running, ...shown].map((j) => (
            <JobRow key={j.id} downloads={downloads} job={j} old={old} gone={gone} single={single} />
          ))}
        </div>
      )}
      {(hidden > 0 || extra.value > 0 || total > 1) && (
        <div class="idc-job-foot">
          {hidden > 0 && (
            <button type="button" class="idc-link" onClick={() => {
                extra.value += STEP;
                void downloads.upTo(shown.length + STEP);
              }}>
              {extra.value ? `${count(hidden)} more` : plural(hidden, "earlier download")}
            </button>
          )}
          {extra.value > 0 && (
            <button type="button" class="idc-link" onClick={() => (extra.value = 0)}>
              Show fewer
            </button>
          )}
          {total > 1 && !gone && (
            <button
              type="button"
              class="idc-link"
              title="Takes ended downloads out of this list; their files stay, and idc-widgets jobs lists them still"
              onClick={() => void downloads.putAway([])}
            >
              Clear the {count(total)} that ended
            </button>
          )}
        </div>
      )}
      {downloads.link.waiting.value && !gone && (
        <p class="idc-none" role="status">
          The kernel has not answered yet…
        </p>
      )}
      {downloads.error.value && (
        <p class="idc-error" role="alert">
          {downloads.error.value}
        </p>
      )}
    </div>
  );
}

function Empty() {
  return (
    <div class="idc-no-jobs">
      <Icon name="save" size={28} />
      <p>
        <b>No downloads yet.</b>
      </p>
      <p class="idc-dim">
        Tick series in an Explorer and press Download, or run <code>cohort.download("data")</code>. Every download of this
        machine is shown here; they go on when the notebook is closed.
      </p>
    </div>
  );
}

/** Tells screen readers how a job ended. */
function Announcer({ downloads }: { downloads: Downloads }) {
  const said = useSignal("");
  const before = useRef(new Set<string>());
  useSignalEffect(() => {
    const running = new Set(downloads.jobs.value.map((j) => j.id));
    const done = downloads.past.value.find((j) => ended(j) && before.current.has(j.id) && !running.has(j.id));
    before.current = running;
    if (done) said.value = `${done.title}: ${stateText(done)}`;
  });
  return (
    <span class="idc-hidden" aria-live="polite">
      {said.value}
    </span>
  );
}
