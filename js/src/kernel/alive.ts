// Whether the kernel that made a view is still there.

import type { Model } from "./protocol";

/** The part of JupyterLab's kernel connection that is used here; other hosts have none. */
interface Kernel {
  isDisposed?: boolean;
  status?: string;
  statusChanged?: Signal;
  disposed?: Signal;
}
interface Signal {
  connect(slot: () => void): void;
  disconnect(slot: () => void): void;
}

const ENDED = new Set(["dead", "terminating", "restarting", "autorestarting"]);

/** Tells when the kernel ended or was restarted, and at once if it is gone already. Returns how to stop. */
export function watchKernel(model: Model, el: HTMLElement, ended: () => void): () => void {
  const kernel = (model.widget_manager as { kernel?: Kernel } | undefined)?.kernel;
  const look = (): void => {
    // ipywidgets marks the views of models whose comm is closed.
    const marked = el.closest(".jupyter-widgets-disconnected") !== null;
    if (marked || kernel?.isDisposed || ENDED.has(kernel?.status ?? "")) ended();
  };
  const soon = (): void => queueMicrotask(look);
  model.on("comm_live_update", soon);
  kernel?.statusChanged?.connect(look);
  kernel?.disposed?.connect(ended);
  look();
  return () => {
    model.off("comm_live_update", soon);
    kernel?.statusChanged?.disconnect(look);
    kernel?.disposed?.disconnect(ended);
  };
}
