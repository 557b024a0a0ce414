// A licence with what it covers; one that forbids commercial use is marked.

import type { Licence } from "../kernel/protocol";
import { count } from "../ui/format";

export function LicenceTag({ licence, figures }: { licence: Licence; figures: string }) {
  return (
    <span
      class={`idc-licence${licence.noncommercial ? " idc-nc" : ""}`}
      title={`${licence.name}: ${count(licence.series)} series${licence.noncommercial ? "; no commercial use" : ""}`}
    >
      <span class="idc-licence-name">{licence.name}</span>
      {licence.noncommercial && " · non-commercial"}
      {figures && <span class="idc-dim"> {figures}</span>}
    </span>
  );
}
