// What a download would do, said before it is begun.

import { type Downloads, paceText, stateText } from "../downloads/jobs";
import type { Plan } from "../kernel/protocol";
import type { Store } from "../state/store";
import { nothing } from "../state/ticks";
import { count, duration, plural, size } from "../ui/format";
import { Icon } from "../ui/icons";
import { LicenceTag } from "./licence";

/** One line under what is ticked; behind its button, all of it. */
export function PlanLine({ store, downloads, open }: { store: Store; downloads: Downloads | null; open: { value: boolean } }) {
  if (nothing(store.ticks.value) || !store.selection.value) return null;
  const answer = store.plan.value;
  if (!answer) return <div class="idc-plan">{store.planning.value ? "Working out what is to be fetched…" : ""}</div>;
  const plan = answer.value;
  if (!plan) return <div class="idc-plan idc-bad">{answer.error}</div>;
  const coming = plan.under_way.reduce((n, u) => n + u.series, 0);
  return (
    <div class="idc-plan">
      {coming > 0 && coming >= plan.series - plan.series_present ? (
        <UnderWay plan={plan} downloads={downloads} />
      ) : plan.to_fetch > 0 ? (
        <>
          <span>
            To fetch <b>{size(plan.to_fetch)}</b> from {plan.provider}
          </span>
          {coming > 0 && <span>{count(coming)} series being downloaded</span>}
          <Present plan={plan} />
          {plan.seconds !== null && <span title="At the pace of the last downloads here">about {duration(plan.seconds)}</span>}
        </>
      ) : plan.series_present < plan.series ? (
        <>
          <span>Nothing to fetch</span>
          <Present plan={plan} />
        </>
      ) : (
        <span>All downloaded already, verified</span>
      )}
      <button type="button" class="idc-link" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
        {plan.warnings && <Icon name="warning" size={13} />} {open.value ? "Hide plan" : "Plan"}
      </button>
    </div>
  );
}

function Present({ plan }: { plan: Plan }) {
  const figures: [number, string][] = [
    [plan.series_present, "already downloaded"],
    [plan.series_unverified, "there, to be verified"],
    [plan.series_elsewhere, "to be copied from another layout"],
  ];
  return <>{figures.map(([n, what]) => n > 0 && <span key={what}>{`${count(n)} series ${what}`}</span>)}</>;
}

/** All that is not there yet is on its way: by what download, and how much of that remains. */
function UnderWay({ plan, downloads }: { plan: Plan; downloads: Downloads | null }) {
  const only = plan.under_way.length === 1 && plan.under_way[0]!.alone;
  const job = only ? downloads?.jobs.value.find((j) => j.id === plan.under_way[0]!.job) : undefined;
  return (
    <>
      <span>
        Under way already{job ? <>, {stateText(job)}: <b>{size(Math.max(0, job.bytes_total - job.bytes_done))}</b> to go</> : ""}
      </span>
      {job && paceText(job).left && <span>{paceText(job).left}</span>}
      <Present plan={plan} />
    </>
  );
}

export function PlanDetails({ plan }: { plan: Plan }) {
  return (
    <dl class="idc-plan-details" aria-label="Plan of the download">
      {plan.lines.map(([heading, text]) => (
        <>
          <dt>{heading}</dt>
          <dd>{text}</dd>
        </>
      ))}
      <dt>Licences</dt>
      <dd class="idc-plan-list">
        {plan.licences.map((l) => (
          <LicenceTag key={l.name} licence={l} figures={`${plural(l.series, "series", "series")}, ${size(l.bytes)}`} />
        ))}
      </dd>
    </dl>
  );
}
