// Choosing a range of bins with the pointer: drag to choose, drag an end to move it, drag the middle to move all, click a
// bar for it alone.

export interface BrushActions {
  /** The first and the last bin. */
  shown(): readonly [number, number];
  /** The chosen range in bins; null when there is none that could be moved. */
  span(): readonly [number, number] | null;
  /** Chooses the bins `from` to `to`; `done` when the pointer was lifted. */
  select(from: number, to: number, done: boolean): void;
  clear(): void;
  hover(code: number | null): void;
}

const GRIP = 7; // pixels around an end

export function brush(element: HTMLElement, actions: BrushActions): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  let drag: { kind: "new" | "from " | "to" | "move"; start: number; span: [number, number] } | null = null;
  let last = "";

  /** Where the pointer is, in bins from the first one shown. */
  const place = (e: PointerEvent | MouseEvent): { x: number; wide: number; code: number } => {
    const box = element.getBoundingClientRect();
    const [first, end] = actions.shown();
    const n = end - first + 1;
    const x = ((e.clientX - box.left) / Math.max(1, box.width)) * n;
    return { x, wide: box.width / n, code: first + Math.max(0, Math.min(n - 1, Math.floor(x))) };
  };
  const select = (from: number, to: number, done: boolean): void => {
    const key = `${from} ${to}`;
    if (key === last && !done) return;
    last = key;
    actions.select(from, to, done);
  };
  /** The range that the pointer's place means now. */
  const follow = (e: PointerEvent, done: boolean): void => {
    if (!drag) return;
    const [first, end] = actions.shown();
    const { code } = place(e);
    if (drag.kind === "new") select(Math.min(drag.start, code), Math.max(drag.start, code), done);
    else if (drag.kind === "from ") select(Math.min(code, drag.span[1]), drag.span[1], done);
    else if (drag.kind === "to") select(drag.span[0], Math.max(code, drag.span[0]), done);
    else {
      const by = Math.max(first - drag.span[0], Math.min(end - drag.span[1], code - drag.start));
      select(drag.span[0] + by, drag.span[1] + by, done);
    }
  };

  element.addEventListener("pointerdown", (e) => {
    if (e.button !== 0) return;
    const { x, wide, code } = place(e);
    const first = actions.shown()[0];
    const span = actions.span();
    const whole = span ? ([Math.floor(span[0]), Math.max(Math.floor(span[0]), Math.ceil(span[1]) - 1)] as [number, number]) : null;
    const chosen = span !== null && (span[0] > first || span[1] < actions.shown()[1] + 1);
    const near = (end: number): boolean => Math.abs(x - (end - first)) * wide <= GRIP;
    let kind: "new" | "from " | "to" | "move" = "new";
    if (chosen && near(span[1])) kind = "to";
    else if (chosen && near(span[0])) kind = "from ";
    else if (chosen && code >= whole![0] && code <= whole![1] && whole![1] > whole![0]) kind = "move";
    drag = { kind, start: code, span: whole ?? [code, code] };
    last = "";
    element.setPointerCapture?.(e.pointerId);
    e.preventDefault(); // no text is selected
  }, { signal });
  let moved = false;
  element.addEventListener("pointermove", (e) => {
    actions.hover(place(e).code);
    if (!drag) return;
    if (place(e).code !== drag.start) moved = true;
    if (moved) follow(e, false);
  }, { signal });
  element.addEventListener("pointerup", (e) => {
    if (!drag) return;
    if (moved) follow(e, true);
    else {
      // A click: this bar alone; on the only chosen one, everything again.
      const alone = drag.span[0] === drag.start && drag.span[1] === drag.start && drag.kind !== "new";
      if (alone) actions.clear();
      else select(drag.start, drag.start, true);
    }
    drag = null;
    moved = false;
  }, { signal });
  element.addEventListener("pointercancel", () => {
    drag = null;
    moved = false;
  }, { signal });
  element.addEventListener("pointerleave", () => actions.hover(null), { signal });
  element.addEventListener("dblclick", () => actions.clear(), { signal });
  return () => abort.abort();
}
