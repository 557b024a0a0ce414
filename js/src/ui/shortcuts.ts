// Keys that work from anywhere in a view, and the notebook's own that must not.

const SUPPRESS = "data-lm-suppress-shortcuts";
const OURS = /^(Enter|Delete|Backspace|Home|End|Arrow.*|[acvxyz])$/i;

/** Whether a key is the host's, not the view's: with Ctrl or ⌘, unless it edits here or would run or change cells there. */
export const forHost = (e: KeyboardEvent): boolean => (e.ctrlKey || e.metaKey) && !OURS.test(e.key);

/**
 * Keeps the notebook's shortcuts away while a view has the keyboard: there "d d" would delete the cell and the arrows
 * leave it. JupyterLab asks for an attribute, in some settings before any element hears of the key, so that is set from
 * the window; of its shortcuts only saving is let through. Other hosts hear what bubbles out of the view: nothing but
 * keys with Ctrl or ⌘. What the browser itself does with a key is not touched.
 */
export function keepNotebookKeysAway(element: Element): () => void {
  const guard = (e: KeyboardEvent): void => {
    const saves = (e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "s";
    element.toggleAttribute(SUPPRESS, !saves);
  };
  const stop = (e: Event): void => {
    if (!forHost(e as KeyboardEvent)) e.stopPropagation();
  };
  element.setAttribute(SUPPRESS, "");
  window.addEventListener("keydown", guard, true);
  for (const type of ["keydown", "keypress"]) element.addEventListener(type, stop);
  return () => {
    window.removeEventListener("keydown", guard, true);
    for (const type of ["keydown", "keypress"]) element.removeEventListener(type, stop);
  };
}

/** The view's own keys: a letter, and where it goes. */
export type Shortcuts = Readonly<Record<string, () => void>>;

export function onShortcut(e: KeyboardEvent, shortcuts: Shortcuts): void {
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
  const target = e.target as HTMLElement;
  if (target.closest("input, textarea, select, [contenteditable], dialog")) return; // typed, not meant
  const act = shortcuts[e.key];
  if (!act) return;
  e.preventDefault();
  e.stopPropagation();
  act();
}
