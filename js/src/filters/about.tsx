// What IDC says of a collection or an analysis result.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { About } from "../kernel/protocol";
import type { Store } from "../state/store";
import { Dialog } from "../ui/dialog";
import { OnItsWay } from "./busy";

export interface AboutTarget {
  column: string;
  value: string;
}

export function AboutDialog({ store, target, onClose }: { store: Store; target: AboutTarget; onClose(): void }) {
  const answer = useSignal<About | null>(null);
  const error = useSignal("");
  useEffect(() => {
    let gone = false;
    store.link.request<About>("about", { ...target }).then(
      (found) => !gone && (answer.value = found),
      (e: Error) => !gone && (error.value = e.message),
    );
    return () => {
      gone = true;
    };
  }, [target]);
  const a = answer.value;
  const title = a?.title ?? store.catalog.value?.names?.[target.column]?.[target.value] ?? target.value;
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="idc-dim">{target.value}</p>
      {error.value && <p class="idc-error" role="alert">{error.value}</p>}
      {!a && !error.value && <OnItsWay store={store} what="the description follows" meanwhile="Looking it up…" />}
      {a?.text.split("\n").map((p, i) => <p key={i}>{p}</p>)}
      {a && (
        <dl class="idc-facts">
          {a.facts.map(([name, text]) => (
            <>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </>
          ))}
          {a.links.length > 0 && <dt>Sources</dt>}
          {a.links.map(([label, url]) => (
            <dd key={url}>
              <a href={url} target="_blank" rel="noreferrer noopener">{label}</a>
            </dd>
          ))}
        </dl>
      )}
    </Dialog>
  );
}
