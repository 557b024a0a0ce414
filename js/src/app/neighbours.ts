// A live view and the saved copy of it stand in two outputs of one cell; only one of them is to be seen.

const LIVE = "data-idc-live";
const HIDDEN = "data-idc-hidden";

const outputOf = (element: Element): HTMLElement =>
  (element.closest<HTMLElement>(".jp-OutputArea-child, .output_area") ?? element) as HTMLElement;

export const isLive = (token: string): boolean => document.querySelector(`[${LIVE}="${CSS.escape(token)}"]`) !== null;

/** Hides an output; `token` says for which view's sake, so that it can come back. */
export function conceal(element: Element, token = ""): void {
  const output = outputOf(element);
  output.style.display = "none";
  if (token) output.setAttribute(HIDDEN, token);
}

export function reveal(element: Element): void {
  outputOf(element).style.display = "";
}

/** A live view came: its saved copies go. */
export function markLive(el: HTMLElement, token: string): void {
  if (!token) return;
  el.setAttribute(LIVE, token);
  for (const saved of document.querySelectorAll(`[data-idc-saved="${CSS.escape(token)}"]`)) conceal(saved);
  for (const hidden of document.querySelectorAll(`[${HIDDEN}="${CSS.escape(token)}"]`)) reveal(hidden);
}
