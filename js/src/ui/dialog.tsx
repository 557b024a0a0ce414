// A dialog over the page: the browser keeps the focus in it, closes it at Escape and gives the focus back.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "./icons";

interface DialogProps {
  title: string;
  onClose(): void;
  children: ComponentChildren;
  /** Where a menu opens; a dialog without stands in the middle. */
  at?: { x: number; y: number } | undefined;
  wide?: boolean;
}

export function Dialog({ title, onClose, children, at, wide = false }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  // At once: what is typed right after what opened it is meant for it.
  useLayoutEffect(() => {
    const dialog = box.current!;
    dialog.showModal();
    if (at) {
      const { width, height } = dialog.getBoundingClientRect();
      dialog.style.left = `${Math.max(4, Math.min(at.x, innerWidth - width - 4))}px`;
      dialog.style.top = `${Math.max(4, at.y + height + 4 > innerHeight ? at.y - height : at.y)}px`;
    }
    return () => {
      if (dialog.open) dialog.close();
    };
  }, []);
  return (
    <dialog
      ref={box}
      class={at ? "idc-menu" : `idc-dialog${wide ? " idc-wide" : ""}`}
      aria-label={title}
      tabIndex={-1}
      onClose={onClose}
      onClick={(e) => {
        if (e.target === box.current) onClose(); // beside it
      }}
      // The notebook has shortcuts of its own.
      onKeyDown={(e) => e.stopPropagation()}
    >
      {at ? (
        children
      ) : (
        <div class="idc-dialog-inside">
          <div class="idc-dialog-head">
            <h2>{title}</h2>
            <IconButton icon="close" label="Close" onClick={onClose} />
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}
