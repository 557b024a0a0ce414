// What a notebook host loads: `render` draws the view that the model's `_view` names.

import { h, render as draw } from "preact";
import { downloadsOf } from "../downloads/jobs";
import { watchKernel } from "../kernel/alive";
import { GONE } from "../kernel/link";
import { type Model, referred } from "../kernel/protocol";
import { Store } from "../state/store";
import { markLive } from "./neighbours";
import { needsOf, View, type ViewName } from "./view";

/**
 * A host calls this once for each model and `render` for each of its views, every time with another wrapper around
 * the model. So the views find what they share in this closure.
 */
export default function widget() {
  let shared: Model | null = null;
  const stores = new Map<string, Store>();
  return {
    initialize({ model }: { model: Model }): void {
      shared = model;
    },
    render({ model, el }: { model: Model; el: HTMLElement }): () => void {
      const own = (shared ??= model);
      let leave = (): void => {};
      let turn = 0;
      markLive(el, String(own.get("_token") ?? ""));
      /** Draws with the state of this model, or of the part whose state it shows. */
      const show = (): void => {
        const mine = ++turn;
        const view = own.get("_view") as ViewName;
        const from = String(own.get("_shared") ?? "");
        const begin = (state: Model | null): void => {
          if (mine !== turn) return;
          leave();
          let store: Store | null = null;
          if (state) {
            store = stores.get(from) ?? new Store(state, needsOf(view));
            stores.set(from, store);
          }
          const detach = store?.attach();
          const unwatch = watchKernel(own, el, () => (store ?? downloadsOf(own)).link.end(GONE));
          leave = () => {
            unwatch();
            detach?.();
          };
          draw(h(View, { view, model: own, store }), el);
        };
        const other = referred(own, "_shared");
        if (!other) return begin(view === "downloads" ? null : own);
        other.then(begin, (e: unknown) => {
          console.warn("idc_widgets:", e);
          if (mine === turn) draw(h("p", { role: "alert" }, "The part that this view shares is gone: run the cells again."), el);
        });
      };
      own.on("change:_shared", show);
      own.on("change:_view", show);
      show();
      return () => {
        turn = -1;
        own.off("change:_shared", show);
        own.off("change:_view", show);
        draw(null, el);
        leave();
      };
    },
  };
}
