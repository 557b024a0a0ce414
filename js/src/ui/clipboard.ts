// Copying text, also where the page may not use the asynchronous clipboard (no https, framed hosts).

/** Copies text during a click or a key; returns whether it went. */
export function copyText(text: string): boolean {
  if (copyNow(text)) return true;
  void navigator.clipboard?.writeText(text).catch(() => {});
  return Boolean(navigator.clipboard);
}

/** The same, but returns true only where it is certain: a while after the click the page may not copy any more. */
export function copyNow(text: string): boolean {
  let done = false;
  const fill = (e: ClipboardEvent): void => {
    e.clipboardData?.setData("text/plain", text);
    e.preventDefault();
    e.stopImmediatePropagation();
    done = true;
  };
  document.addEventListener("copy", fill, { capture: true, once: true });
  try {
    document.execCommand("copy");
  } finally {
    document.removeEventListener("copy", fill, { capture: true });
  }
  return done;
}
