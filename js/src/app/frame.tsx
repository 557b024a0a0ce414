// The frame of every view: its border, and its height, which Python, a drag and the keyboard set alike.

import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Model } from "../kernel/protocol";
import type { KernelState } from "../state/store";
import { Icon } from "../ui/icons";
import { keepFocus } from "../ui/keyboard";
import { keepNotebookKeysAway, onShortcut, type Shortcuts } from "../ui/shortcuts";
import { Help, HelpSheet } from "./help";

const LEAST = 240;
const MOST = 4000;
const STEPS: Record<string, number> = { ArrowUp: -20, ArrowDown: 20, PageUp: -120, PageDown: 120 };

interface FrameProps {
  model: Model;
  kind: "explorer" | "filters" | "table" | "downloads";
  kernel: ReadonlySignal<KernelState>;
  children: ComponentChildren;
  /** A region's name, where the view is one. */
  label?: string;
  /** What some keys do instead. */
  shortcuts?: Shortcuts;
}

export function Frame({ model, kind, kernel, children, label, shortcuts = {} }: FrameProps) {
  const root = useRef<HTMLDivElement>(null);
  const height = useHeight(model);
  const help = useSignal(false);
  useEffect(() => keepNotebookKeysAway(root.current!), []);
  useEffect(() => keepFocus(root.current!), []);
  /** Focuses the first of these that is there, in the order of the wish. */
  const to = (...wished: string[]) => () =>
    wished.map((w) => root.current!.querySelector<HTMLElement>(w)).find((e) => e !== null)?.focus();
  const keys: Shortcuts = {
    "?": () => (help.value = true),
    "/": to(".idc-search input"),
    f: to(".idc-panel button"),
    t: to("[role=grid]"),
    d: to(".idc-selection .idc-primary"),
    ...shortcuts,
  };
  return (
    <div class="idc-frame">
      <Help.Provider value={help}>
        <div
          ref={root}
          class={`idc-root idc-kind-${kind}`}
          role={label ? "region" : undefined}
          aria-label={label}
          data-kernel={kernel.value}
          style={height.value ? { height: height.value } : undefined}
          tabIndex={-1}
          onKeyDownCapture={(e) => onShortcut(e, keys)}
        >
          <KernelNote kind={kind} kernel={kernel.value} />
          {children}
          {kind !== "downloads" && <Grip model={model} root={root} />}
          <HelpSheet shows={{ filters: kind === "explorer" || kind === "filters", table: kind === "explorer" || kind === "table" }} />
        </div>
      </Help.Provider>
    </div>
  );
}

const WORKS = {
  explorer: "Filters and counts work. Other rows, details, search, code and downloads need",
  filters: "Filters and counts work. Search, code and the number of patients need",
  table: "The rows that are here stay. Others, and their details, need",
  downloads: "Downloads go on. To see and to control them needs",
};

/** Says by itself that no kernel answers, what works nevertheless, and what to do. */
function KernelNote({ kind, kernel }: { kind: keyof typeof WORKS; kernel: KernelState }) {
  return (
    <div role="status">
      {kernel !== "live" && (
        <p class="idc-kernel">
          <Icon name="warning" />
          <span>
            <b>{kernel === "saved" ? "Saved view, no kernel." : "The kernel was restarted or has ended."}</b>{" "}
            {WORKS[kind]} a running kernel: <b>run the cell again</b>.
          </span>
        </p>
      )}
    </div>
  );
}

/** The model's height as CSS; "" leaves it to the style sheet. */
function useHeight(model: Model) {
  const css = useSignal("");
  useEffect(() => {
    const read = (): void => {
      const value = model.get("height");
      css.value = typeof value === "number" ? `${value}px` : typeof value === "string" ? value : "";
    };
    read();
    model.on("change:height", read);
    return () => model.off("change:height", read);
  }, [model]);
  return css;
}

/** The lower edge: dragged, or moved with the arrow keys; a double click gives the height back to the view. */
function Grip({ model, root }: { model: Model; root: { current: HTMLDivElement | null } }) {
  const now = useSignal(0);
  const set = (pixels: number | null): void => {
    const value = pixels === null ? null : Math.round(Math.min(MOST, Math.max(LEAST, pixels)));
    model.set("height", value);
    now.value = value ?? tall();
  };
  const tall = (): number => root.current!.offsetHeight;
  useEffect(() => void (now.value = tall()), []);
  const drag = (down: PointerEvent): void => {
    if (down.button !== 0) return;
    const grip = down.currentTarget as HTMLElement;
    const from = tall() - down.clientY;
    grip.setPointerCapture(down.pointerId);
    const move = (e: PointerEvent): void => set(from + e.clientY);
    const end = (): void => {
      grip.removeEventListener("pointermove", move);
      grip.removeEventListener("lostpointercapture", end);
      model.save_changes();
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("lostpointercapture", end);
  };
  return (
    <div
      class="idc-grip"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height"
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      aria-valuenow={now.value}
      title="Drag to set the height; double-click for the usual one"
      tabIndex={0}
      onFocus={() => (now.value = tall())}
      onPointerDown={drag}
      onDblClick={() => {
        set(null);
        model.save_changes();
      }}
      onKeyDown={(e) => {
        const step = STEPS[e.key];
        if (step === undefined) return;
        e.preventDefault();
        e.stopPropagation();
        set(tall() + step);
        model.save_changes();
      }}
    />
  );
}
