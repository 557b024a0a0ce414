// A text that can be copied, also where the page may not write to the clipboard.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { copyText } from "./clipboard";

/** A text with a button that copies it; where that is refused, the text is selected for Ctrl+C. */
export function Copyable({ text, label, rows }: { text: string; label: string; rows?: number }) {
  const said = useSignal("");
  const box = useRef<HTMLTextAreaElement>(null);
  const copy = (): void => {
    if (copyText(text)) {
      said.value = "Copied.";
      return;
    }
    box.current?.focus();
    box.current?.select();
    said.value = "This page may not use the clipboard: the text is selected, press Ctrl+C (⌘C).";
  };
  return (
    <div class="idc-copyable">
      <textarea
        ref={box}
        class="idc-code"
        readOnly
        spellcheck={false}
        aria-label={label}
        rows={rows ?? Math.min(18, text.split("\n").length + 1)}
        value={text}
      />
      <div class="idc-copy-line">
        <span class="idc-dim" role="status">
          {said.value}
        </span>
        <button type="button" class="idc-button" onClick={copy}>
          Copy
        </button>
      </div>
    </div>
  );
}
