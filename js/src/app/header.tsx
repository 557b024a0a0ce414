// The header: what this is, and how much of it matches.

import { effect, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Search } from "../filters/search";
import type { Store } from "../state/store";
import { count, longDate, plural, size } from "../ui/format";
import { Icon } from "../ui/icons";
import { HelpButton } from "./help";

export function Header({ store }: { store: Store }) {
  const c = store.catalog.value;
  const result = store.current.value ? store.result.value : null;
  const totals = store.totals.value;
  const live = store.live.value;
  const filtered = store.where.value.length > 0;
  return (
    <div class="idc-header">
      <div class="idc-brand">
        <Icon name="mark" size={20} />
        <strong>Imaging Data Commons</strong>
        {c && <span class="idc-version" title={`Release ${c.release}`}>{`v${c.version} · ${longDate(c.date)}`}</span>}
      </div>
      {live && <Search store={store} />}
      <div class="idc-stats">
        <Stat name="series" value={result ? result.series : (totals?.series ?? null)} all={c?.totals.series} show={filtered} live={live} />
        <Stat name="studies" value={totals?.studies ?? null} all={c?.totals.studies} show={filtered} live={live} />
        <Stat name="patients" value={totals?.patients ?? null} all={c?.totals.patients} show={filtered} live={live} />
        <Stat name="size" value={result ? result.bytes : (totals?.bytes ?? null)} all={c?.totals.bytes} show={filtered} live={live} bytes />
        {live && store.totalsError.value && <span class="idc-bad" role="alert">{store.totalsError.value}</span>}
      </div>
      <HelpButton />
      <Announcer store={store} />
    </div>
  );
}

const singular = (name: string): string => (name === "studies" ? "study" : name.replace(/s$/, ""));

interface StatProps {
  name: string;
  value: number | null;
  all: number | undefined;
  show: boolean;
  live: boolean;
  bytes?: boolean;
}

/** One figure; an unknown one says so rather than showing what was true before. */
function Stat({ name, value, all, show, live, bytes = false }: StatProps) {
  const text = bytes ? size : count;
  return (
    <div class={`idc-stat${value === null ? " idc-pending" : ""}`} data-stat={name}>
      <span class="idc-stat-value">
        {value === null ? (live ? "…" : "–") : text(value)} {!bytes && <span class="idc-stat-name">{value === 1 && name !== "series" ? singular(name) : name}</span>}
      </span>
      <span class="idc-stat-all">
        {value === null ? (live ? "updating…" : "needs a kernel") : !show || all === undefined ? "in all" : `of ${text(all)}`}
      </span>
    </div>
  );
}

/** Tells screen readers the new totals, once they have settled. */
function Announcer({ store }: { store: Store }) {
  const said = useSignal("");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      const result = store.current.value ? store.result.value : null;
      const totals = store.totals.value;
      clearTimeout(timer);
      if (!result || !totals) return;
      const words = `${count(result.series)} series of ${plural(totals.patients, "patient")} match, ${size(result.bytes)}.`;
      timer = setTimeout(() => (said.value = words), 700);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [store]);
  return (
    <span class="idc-hidden" aria-live="polite">
      {said}
    </span>
  );
}
