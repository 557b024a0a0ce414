// The list of a job's series, of any length: only the rows in view are elements.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { count, shortened } from "../ui/format";
import { Scroller } from "../ui/scroller";
import { Ends } from "./ends";
import { partText } from "./jobs";
import { type SeriesList, seriesText } from "./list";

const ROW = 26;
const MOST = 8; // rows in view

interface Props {
  list: SeriesList;
  chosen: Signal<number>;
  label: string;
}

let lists = 0;

export function SeriesView({ list, chosen, label }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [id] = useState(() => `idc-series-${lists++}`);
  const [scroller] = useState(() => new Scroller(ROW));
  const moved = useSignal(0);
  const total = list.total;
  const height = Math.min(MOST, Math.max(1, total)) * ROW;
  scroller.resize(total, height);
  const [first, end] = moved.value >= 0 && list.version.value >= 0 ? scroller.range() : [0, 0];
  useEffect(() => {
    const timer = setTimeout(() => list.show(first, end), 60);
    return () => clearTimeout(timer);
  }, [first, end, list.state.value]);

  const choose = (to: number): void => {
    chosen.value = Math.min(Math.max(0, to), total - 1);
    scroller.reveal(chosen.value);
    box.current!.scrollTop = scroller.bar;
    scroller.placed();
    moved.value++;
  };
  const key = (e: KeyboardEvent): void => {
    const now = chosen.value;
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, PageDown: now + MOST, PageUp: now - MOST, Home: 0, End: total - 1 }[e.key];
    if (to === undefined || !total) return;
    e.preventDefault();
    e.stopPropagation();
    choose(to);
  };
  const rows = [];
  for (let i = first; i < end; i++) {
    const row = list.at(i);
    rows.push(
      <div
        key={i}
        id={`${id}-${i}`}
        class={`idc-series${row ? ` idc-series-${row.state}` : ""}`}
        role="option"
        aria-selected={i === chosen.value}
        aria-setsize={total}
        aria-posinset={i + 1}
        style={{ top: `${i * ROW - scroller.top}px` }}
        onClick={() => choose(i)}
      >
        {row ? (
          <>
            <Ends path={row.path} shown={shortened(row.below, 9)} />
            <span class="idc-series-state">{seriesText(row)}</span>
            <span>{partText(row.state === "complete" ? row.bytes : row.bytes_done + row.bytes_in_flight, row.bytes)}</span>
            <span>
              {row.files_done < row.files && `${count(row.files_done)} of `}
              {count(row.files)}
              <span class="idc-unit"> {row.files === 1 ? "file" : "files"}</span>
            </span>
          </>
        ) : (
          <span class="idc-none">…</span>
        )}
      </div>,
    );
  }
  return (
    <div
      ref={box}
      class="idc-series-list"
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={chosen.value >= first && chosen.value < end ? `${id}-${chosen.value}` : undefined}
      style={{ height: `${height + 2}px` }}
      onScroll={(e) => {
        scroller.scrolled(e.currentTarget.scrollTop);
        moved.value++;
      }}
      onKeyDown={key}
    >
      <div style={{ height: `${scroller.height}px` }}>
        <div class="idc-series-window" style={{ height: `${height}px` }}>
          {rows}
          {!total && <p class="idc-none">{list.counts.value ? "None at the moment." : "Reading…"}</p>}
        </div>
      </div>
    </div>
  );
}
