// The keyboard stays with the view that was clicked or typed in last: notebooks delete a cell at "d d".

import { forHost } from "./shortcuts";

const CONTROLS = 'button, a[href], input, select, textarea, [tabindex="0"]';
const BOXES = "dialog, [role=dialog], [role=alertdialog]";
const REMEMBERED = 8;

/** Where in the page something was removed. */
interface Gap {
  parent: Node;
  before: Node | null;
}

/**
 * Sees to it that a press anywhere in a view gives it the keyboard, and that the focus goes to a neighbour, never to
 * the page, when what had it is removed, hidden or disabled.
 *
 * Engines differ in whether they say anything when a focused element goes, so the view's changes are watched while it
 * has the keyboard, and each key is held against it.
 */
export function keepFocus(root: HTMLElement): () => void {
  const outer = root.parentElement ?? root; // it has the corners, too
  const page = root.ownerDocument;
  let held = false;
  let presses = 0;
  let last: HTMLElement = root;
  let box: Element | null = null;
  const before: HTMLElement[] = [];

  const active = (): Element | null => {
    const found = (root.getRootNode() as Document | ShadowRoot).activeElement;
    return root.contains(found) ? found : null;
  };
  const lost = (): boolean => held && !active() && (page.activeElement ?? page.body) === page.body;
  const usable = (e: Element): boolean =>
    root.contains(e) && !e.matches(":disabled") && !e.closest("[inert]") && (e.checkVisibility?.({ visibilityProperty: true }) ?? true);
  const focus = (e: HTMLElement | undefined): boolean => {
    e?.focus({ preventScroll: e === root });
    return e !== undefined && active() === e;
  };

  /** The nearest control of the smallest part that has any: one alike before others, the next before the one before. */
  const neighbour = (gap: Gap | null): HTMLElement | undefined => {
    const follows = (e: Element): boolean => {
      if (!gap) return (last.compareDocumentPosition(e) & 4) !== 0;
      const place = (gap.before ?? gap.parent).compareDocumentPosition(e);
      return (place & 4) !== 0 && !(gap.before && place & 16);
    };
    for (let part = (gap?.parent ?? last.parentElement) as Element | null; part; part = part === root ? null : part.parentElement) {
      const all = [...part.querySelectorAll<HTMLElement>(CONTROLS)].filter((e) => e !== last && usable(e));
      // Letters that were meant for what is gone must not be typed into a field.
      const calm = all.filter((e) => !e.matches("input, textarea"));
      const found = calm.length ? calm : all;
      if (!found.length) continue;
      const next = found.filter(follows);
      const past = found.filter((e) => !next.includes(e)).reverse();
      const alike = (e: HTMLElement): boolean => e.tagName === last.tagName && e.className === last.className;
      return next.find(alike) ?? past.find(alike) ?? next[0] ?? past[0];
    }
    return undefined;
  };
  const restore = (gap: Gap | null): void => {
    const opener = box && !usable(box) ? before.find((e) => !box!.contains(e) && usable(e)) : undefined;
    if ((usable(last) && focus(last)) || focus(opener) || focus(neighbour(gap)) || focus(root)) return;
  };

  const observer = new MutationObserver((records) => {
    if (!lost()) return;
    let gone: Node = last;
    let gap: Gap | null = null;
    const added = new Set<Node>();
    for (const r of records) {
      r.addedNodes.forEach((n) => added.add(n));
      if (![...r.removedNodes].some((n) => n.contains(gone))) continue;
      gone = r.target;
      gap = { parent: r.target, before: r.previousSibling };
    }
    if (!gap && usable(last)) return; // given up by itself, as a phone's keyboard is put away
    // What came in its place stands before it for a moment.
    while (gap?.before && added.has(gap.before)) gap.before = gap.before.previousSibling;
    if (gap?.before && !gap.before.isConnected) gap.before = null;
    restore(gap && root.contains(gap.parent) ? gap : null);
  });
  const hold = (): void => {
    if (!held) observer.observe(root, { childList: true, subtree: true, attributeFilter: ["disabled", "hidden", "inert"] });
    held = true;
  };
  const release = (): void => {
    held = false;
    observer.disconnect();
  };
  const inside = (e: Event): boolean => e.composedPath().includes(outer);

  const entered = (e: FocusEvent): void => {
    hold();
    const target = e.target as HTMLElement;
    if (target === last) return;
    before.unshift(last);
    before.length = Math.min(before.length, REMEMBERED);
    last = target;
    box = target.closest(BOXES);
  };
  const left = (e: FocusEvent): void => {
    if (!e.relatedTarget) setTimeout(() => lost() && !usable(last) && restore(null));
  };
  /** Once the browser and the notebook have given the focus to what they think was pressed. */
  const take = (e: Event): void => {
    const turn = presses;
    const target = e.target as Element;
    setTimeout(() => {
      if (turn !== presses || active()) return;
      for (let at: Element | null = target; at && root.contains(at); at = at.parentElement) {
        if (at.matches(`${CONTROLS}, [tabindex]`) && usable(at) && focus(at as HTMLElement)) return;
      }
      focus(root);
    });
  };
  const pressed = (e: PointerEvent): void => {
    presses++;
    hold();
    take(e);
  };
  const elsewhere = (e: Event): void => {
    if (inside(e)) return;
    if (e.type === "pointerdown") presses++;
    release();
  };
  const key = (e: KeyboardEvent): void => {
    if (!lost()) return;
    restore(null);
    if (e.key === "Tab" || forHost(e)) return;
    e.preventDefault();
    e.stopImmediatePropagation(); // it was meant for what is no more
  };
  root.addEventListener("focusin", entered);
  root.addEventListener("focusout", left);
  outer.addEventListener("pointerdown", pressed, true);
  outer.addEventListener("click", take, true);
  page.addEventListener("focusin", elsewhere, true);
  page.addEventListener("pointerdown", elsewhere, true);
  window.addEventListener("keydown", key, true);
  return () => {
    release();
    presses++;
    root.removeEventListener("focusin", entered);
    root.removeEventListener("focusout", left);
    outer.removeEventListener("pointerdown", pressed, true);
    outer.removeEventListener("click", take, true);
    page.removeEventListener("focusin", elsewhere, true);
    page.removeEventListener("pointerdown", elsewhere, true);
    window.removeEventListener("keydown", key, true);
  };
}
