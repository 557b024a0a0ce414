// A facet of a column of many values: a histogram of what matches over everything, with a brush, typed bounds, and the
// missing and implausible values beside it.

import { effect, useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Bins } from "../cube/bins";
import type { Facet as FacetInfo } from "../kernel/protocol";
import type { Store } from "../state/store";
import { count } from "../ui/format";
import { IconButton } from "../ui/icons";
import { Bound } from "./bound";
import { brush } from "./brush";
import { FacetGroup, isFolded } from "./heading";
import { drawBars, type Plot } from "./plot";
import { boundsOf, NO_RANGE, type Range, readRange, spanOf, writeRange } from "./range";
import { scaleOf } from "./scale";
import type { Visibility } from "./visibility";

const LOG_FROM = 12; // times the typical bin that the largest one holds

export function Histogram({ store, info, seen }: { store: Store; info: FacetInfo; seen: Visibility }) {
  const folded = isFolded(store, info.name);
  const group = useRef<HTMLDivElement>(null);
  const plot = useRef<HTMLDivElement>(null);
  const figures = useRef<HTMLDivElement>(null);
  const bins = useComputed(() => store.cube.value?.axes.get(info.name)?.bins ?? null);
  const range = useComputed(() => readRange(store.where.value, info.name));
  const chosen = useSignal<boolean | null>(null); // log or not, once somebody said
  const log = useComputed(() => chosen.value ?? (bins.value ? skewed(bins.value) : false));
  const hovered = useSignal<number | null>(null);

  const set = (change: Partial<Range>, more = false): void =>
    store.setWhere(writeRange(store.where.peek(), info.name, { ...(range.peek() ?? NO_RANGE), ...change }), more);

  useEffect(() => {
    if (folded || !plot.current || !group.current) return;
    const visible = seen.watch(group.current);
    const settled = seen.settled(store.result);
    const element = plot.current;
    const paint = drawBars(element);
    const stopBrush = brush(element, {
      shown: () => (bins.peek() ? shownOf(bins.peek()!) : [0, 0]),
      span: () => (bins.peek() && range.peek() ? spanOf(bins.peek()!, range.peek()!, shownOf(bins.peek()!)) : null),
      select: (from, to, done) => set(boundsOf(bins.peek()!, from, to, shownOf(bins.peek()!)), !done),
      clear: () => set({ low: null, high: null }),
      hover: (code) => (hovered.value = code),
    });
    const stop = effect(() => {
      const b = bins.value;
      const result = visible.value ? store.result.value : settled.value;
      const counts = b && result?.counts.get(info.name);
      if (!b || !counts) return;
      const r = range.value;
      const shown = shownOf(b);
      const plotted: Plot = { total: b.total, counts, shown, span: r && (r.low || r.high) ? spanOf(b, r, shown) : null, log: log.value };
      paint(plotted);
      const at = hovered.value;
      const line = figures.current?.firstElementChild;
      if (line) line.textContent = at === null ? "" : `${scaleOf(info.name, b).bin(b, at)}: ${count(counts[at]!)} of ${count(b.total[at]!)}`;
      [b.base.length + 1, b.base.length + 2].forEach((code, i) => {
        const number = group.current?.querySelector(`[data-apart="${i}"] .idc-count`);
        if (number) number.textContent = count(counts[code]!);
      });
    });
    return () => {
      stop();
      stopBrush();
      if (group.current) seen.forget(group.current);
    };
  }, [folded]);

  const b = bins.value;
  if (!b) return null;
  const r = range.value;
  const scale = scaleOf(info.name, b);
  const shown = shownOf(b);
  const active = r ? Number(r.low !== null || r.high !== null) + Number(r.missing || r.present) + Number(r.implausible) : 1;
  const codes = Array.from({ length: shown[1] - shown[0] + 1 }, (_, i) => shown[0] + i);
  return (
    <FacetGroup
      store={store}
      info={info}
      active={active}
      group={group}
      aside={
        <>
          <div ref={figures} class="idc-plot-figures" aria-hidden="true">
            <span />
          </div>
          <button
            type="button"
            class="idc-log"
            aria-pressed={log.value}
            title="Heights by the number of digits, so that small bars are seen beside large ones"
            onClick={() => (chosen.value = !log.value)}
          >
            log
          </button>
        </>
      }
    >
      <div class="idc-plot" ref={plot}>
        <svg aria-hidden="true" preserveAspectRatio="none">
          <path class="idc-plot-all" />
          <path class="idc-plot-out" />
          <path class="idc-plot-in" />
        </svg>
        <div class="idc-plot-span" hidden />
        {(["from ", "to"] as const).map((side, i) => (
          <Handle key={side} side={side} index={i} label={info.label} bins={b} range={r ?? NO_RANGE} set={set} />
        ))}
      </div>
      <div class="idc-plot-axis" aria-hidden="true">
        {ticks(codes.map((code) => scale.tick(b, code))).map(([i, text]) => (
          <span key={i} style={{ left: `${((i + (b.kind === "date" || b.kind === "integer" ? 0.5 : 0)) / codes.length) * 100}%` }}>
            {text}
          </span>
        ))}
      </div>
      {r ? (
        <div class="idc-bounds">
          <Bound column={info.name} label={`${info.label} from`} side="low" range={r} scale={scale} set={set} />
          <span aria-hidden="true">–</span>
          <Bound column={info.name} label={`${info.label} to`} side="high" range={r} scale={scale} set={set} />
          {(r.low || r.high) && (
            <IconButton icon="close" size={14} label={`Clear the range of ${info.label}`} onClick={() => set({ low: null, high: null })} />
          )}
        </div>
      ) : (
        <p class="idc-none">Filtered by a condition that this histogram cannot show; see above the table.</p>
      )}
      {r && (
        <>
          <Apart index={0} name="missing" on={r.missing} out={r.present} total={b.total[b.base.length + 1]!}
            toggle={(out) => set(out ? { present: !r.present, missing: false } : { missing: !r.missing && !r.present, present: false })} />
          <Apart index={1} name="implausible" on={r.implausible} out={false} total={b.total[b.base.length + 2]!}
            toggle={() => set({ implausible: !r.implausible })} />
        </>
      )}
    </FacetGroup>
  );
}

/** Values that have no place on the axis: ticked, they are found beside the range, or alone. */
function Apart({ index, name, on, out, total, toggle }: {
  index: number; name: string; on: boolean; out: boolean; total: number; toggle: (out: boolean) => void;
}) {
  return (
    <div
      class={`idc-value idc-apart idc-missing${on ? " idc-on" : ""}${out ? " idc-out" : ""}`}
      role="checkbox"
      tabIndex={0}
      data-apart={index}
      hidden={total === 0}
      aria-checked={on ? "true" : out ? "mixed" : "false"}
      aria-description={out ? "excluded" : undefined}
      title={`${name}: ${count(total)} series in all${index ? "" : "; Alt-click excludes"}`}
      onClick={(e) => toggle(e.altKey && !index)}
      onKeyDown={(e) => {
        if (e.key !== " " && e.key !== "Enter") return;
        e.preventDefault();
        e.stopPropagation();
        toggle(e.altKey && !index);
      }}
    >
      <span class="idc-box" />
      <span class="idc-label">{name}</span> <span class="idc-count" />
    </div>
  );
}

/** An end of the range for the keyboard; the pointer drags by the whole plot. */
function Handle({ side, index, label, bins, range, set }: {
  side: "from " | "to"; index: number; label: string; bins: Bins; range: Range; set: (change: Partial<Range>) => void;
}) {
  const shown = shownOf(bins);
  const span = spanOf(bins, range, shown);
  const first = Math.floor(span[0]);
  const last = Math.max(first, Math.ceil(span[1]) - 1);
  const at = index ? last : first;
  const [low, high] = index ? [first, shown[1]] : [shown[0], last];
  const scale = scaleOf(label, bins);
  const go = (to: number): void => {
    const code = Math.max(low, Math.min(high, to));
    const moved = index ? boundsOf(bins, first, code, shown) : boundsOf(bins, code, last, shown);
    // The other end stays as it is, typed bounds between two bins included.
    set(index ? { high: moved.high } : { low: moved.low });
  };
  const keys: Record<string, number> = {
    ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - 5, PageUp: at + 5, Home: low, End: high,
  };
  return (
    <span
      class={`idc-handle idc-handle-${side}`}
      role="slider"
      tabIndex={0}
      aria-label={`${label}, ${side}`}
      aria-valuemin={low}
      aria-valuemax={high}
      aria-valuenow={at}
      aria-valuetext={scale.bin(bins, at)}
      style={{ left: `${((span[index]! - shown[0]) / (shown[1] - shown[0] + 1)) * 100}%` }}
      onKeyDown={(e) => {
        if (e.ctrlKey || e.metaKey || e.altKey) return;
        if (e.key in keys) go(keys[e.key]!);
        else if (e.key === "Delete" || e.key === "Backspace") set({ low: null, high: null });
        else return;
        e.preventDefault();
        e.stopPropagation();
      }}
    />
  );
}

const shownCache = new WeakMap<Bins, [number, number]>();

/** The first and the last bin that any series of the catalogue lies in. */
function shownOf(bins: Bins): [number, number] {
  let shown = shownCache.get(bins);
  if (!shown) {
    const held = Array.from({ length: bins.base.length + 1 }, (_, i) => i).filter((i) => bins.total[i]! > 0);
    shownCache.set(bins, (shown = [held[0] ?? 0, held.at(-1) ?? 0]));
  }
  return shown;
}

/** Whether most bars would be too low to be seen. */
function skewed(bins: Bins): boolean {
  const held = bins.total.slice(0, bins.base.length + 1).filter((n) => n > 0).sort((a, b) => a - b);
  return held.length > 2 && held.at(-1)! > LOG_FROM * held[held.length >> 1]!;
}

/** Labels with room between them. */
function ticks(labels: readonly string[]): [number, string][] {
  const out: [number, string][] = [];
  const gap = labels.length * 0.22;
  labels.forEach((text, i) => {
    if (text && (!out.length || i - out.at(-1)![0] >= gap)) out.push([i, text]);
  });
  return out;
}
