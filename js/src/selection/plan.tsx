// What a download would do, said before it is begun.

import { count, duration, plural, size } from "../format";
import { Icon } from "../icons";
import type { Plan } from "../link/protocol";
import type { Store } from "../link/store";
import { LicenceTag } from "./licence";
import { nothing } from "./ticks";

/** One line under what is ticked; behind its button, all of it. */
export function PlanLine({ store, open }: { store: Store; open: { value: boolean } }) {
  if (nothing(store.ticks.value) || !store.selection.value) return null;
  const answer = store.plan.value;
  if (!answer) return <div class="idc-plan">{store.planning.value ? "Working out what is to be fetched…" : ""}</div>;
  const plan = answer.value;
  if (!plan) return <div class="idc-plan idc-bad">{answer.error}</div>;
  return (
    <div class="idc-plan">
      {plan.need > 0 || plan.series_present < plan.series ? (
        <>
          <span>
            To fetch <b>{size(plan.need)}</b> from {plan.provider}
          </span>
          {plan.series_present > 0 && <span>{count(plan.series_present)} series are there already</span>}
          {plan.seconds !== null && <span title="At the pace of the last downloads here">about {duration(plan.seconds)}</span>}
        </>
      ) : (
        <span>All there already, verified</span>
      )}
      <button type="button" class="idc-link" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
        {plan.warnings && <Icon name="warning" size={13} />} {open.value ? "Hide plan" : "Plan"}
      </button>
    </div>
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
