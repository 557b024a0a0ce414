// What a notebook host loads: `render` draws the view that the model's `_view` names.

import { h, render as draw } from "preact";
import { downloadsOf } from "./downloads/jobs";
import { DownloadPanel } from "./downloads/panel";
import { Explorer } from "./explorer";
import type { Model } from "./link/protocol";
import { Store } from "./link/store";

/**
 * A host calls this once for each model and `render` for each of its views, every time with another wrapper around
 * the model. So the views find what they share in this closure.
 */
export default function widget() {
  let shared: Model | null = null;
  let store: Store | null = null;
  return {
    initialize({ model }: { model: Model }): void {
      shared = model;
    },
    render({ model, el }: { model: Model; el: HTMLElement }): () => void {
      shared ??= model;
      let detach = (): void => {};
      if (shared.get("_view") === "downloads") {
        draw(
          h("div", { class: "idc-frame" },
            h("div", { class: "idc-root idc-alone" }, h(DownloadPanel, { downloads: downloadsOf(shared), alone: true }))),
          el,
        );
      } else {
        store ??= new Store(shared);
        detach = store.attach();
        draw(h(Explorer, { store }), el);
      }
      return () => {
        draw(null, el);
        detach();
      };
    },
  };
}
