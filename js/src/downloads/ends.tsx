// A path of which the end stays in sight where there is no room for all of it.

import { splitPath } from "./jobs";

export function Ends({ path, shown, class: name = "" }: { path: string; shown: string; class?: string }) {
  return (
    <span class={`idc-ends ${name}`} title={path}>
      {splitPath(shown).map((part, i) => (
        <span key={i}>{part}</span>
      ))}
    </span>
  );
}
