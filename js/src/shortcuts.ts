// Keys that work from anywhere in a view, and the notebook's own that must not.

const SUPPRESS = "data-lm-suppress-shortcuts";

/**
 * Keeps JupyterLab's shortcuts away while a view has the keyboard: there "d d" would delete the cell and the arrows
 * leave it. Only saving the notebook is let through. JupyterLab asks for this attribute before any element hears of
 * the key, so it is set from the window.
 */
export function keepNotebookKeysAway(element: Element): () => void {
  const guard = (e: KeyboardEvent): void => {
    const saves = (e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "s";
    element.toggleAttribute(SUPPRESS, !saves);
  };
  element.setAttribute(SUPPRESS, "");
  window.addEventListener("keydown", guard, true);
  return () => window.removeEventListener("keydown", guard, true);
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
