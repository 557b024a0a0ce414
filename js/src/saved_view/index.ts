// A script of its own in the saved HTML: draws the view from what was saved, unless a live one is there or comes.

import { h, render as draw } from "preact";
import { conceal, isLive, reveal } from "../app/neighbours";
import { needsOf, View, type ViewName } from "../app/view";
import { Store } from "../state/store";
import { keepNotebookKeysAway } from "../ui/shortcuts";
import { type Replies, SavedModel } from "./model";

const WAIT_MS = 2500; // how long a live view may take to come; one that comes later still takes its place

interface Saved {
  state: Record<string, unknown>;
  replies: Replies;
  css: string;
}

function begin(root: HTMLElement): void {
  const token = root.dataset.idcSaved!;
  const output = root.closest(".jp-OutputArea-child, .output_area, .output");
  const live = output?.previousElementSibling ?? null;
  // No live view was put before this one, as in an exported page.
  if (!live || !expectsWidget(live)) return show(root);
  conceal(root);
  if (isLive(token)) return;
  const look = (late = false): void => {
    if (isLive(token)) return stop();
    const failed = /Error displaying widget|Error creating widget/.test(live.textContent ?? "");
    if (!failed && !late) return;
    stop();
    conceal(live, token);
    reveal(root);
    show(root);
  };
  const observer = new MutationObserver(() => look());
  const timer = setTimeout(() => look(true), WAIT_MS);
  const stop = (): void => {
    observer.disconnect();
    clearTimeout(timer);
  };
  observer.observe(live, { childList: true, subtree: true, characterData: true });
  look();
}

const expectsWidget = (output: Element): boolean =>
  output.querySelector(".jupyter-widgets, .jp-OutputArea-output.lm-Panel, script[type*='widget-view']") !== null ||
  /Loading widget|Error displaying widget/.test(output.textContent ?? "");

/** Draws into a shadow root: the styles of a saved view must not meet those of a newer live one. */
function show(root: HTMLElement): void {
  const { state, replies, css } = JSON.parse(root.querySelector("script[type='application/json']")!.textContent!) as Saved;
  const host = document.createElement("div");
  const shadow = host.attachShadow({ mode: "open" });
  const style = document.createElement("style");
  style.textContent = css;
  const el = document.createElement("div");
  shadow.append(style, el);
  root.append(host);
  keepNotebookKeysAway(host); // the page sees nothing but the host of what is focused
  followTheme(el);
  const model = new SavedModel(state, replies);
  const view = state._view as ViewName;
  const store = new Store(model, needsOf(view));
  store.attach();
  draw(h(View, { view, model, store }), el);
  for (const plain of root.querySelectorAll<HTMLElement>(".idc-plain")) plain.style.display = "none";
}

/** The page's theme is told within the shadow root too, in the one way that the style sheet sees from there. */
function followTheme(el: HTMLElement): void {
  const { body, documentElement: html } = document;
  const copy = (): void => {
    const hosts = `${html.getAttribute("theme") ?? ""} ${body.className}`; // Colab's, and VS Code's
    const said = body.getAttribute("data-jp-theme-light");
    const light = said ?? (/\bdark\b|vscode-(dark|high-contrast)/.test(hosts) ? "false" : /\blight\b|vscode-light/.test(hosts) ? "true" : null);
    if (light === null) el.removeAttribute("data-jp-theme-light");
    else el.setAttribute("data-jp-theme-light", light);
  };
  copy();
  const observer = new MutationObserver(copy);
  for (const e of [html, body]) observer.observe(e, { attributes: true, attributeFilter: ["data-jp-theme-light", "class", "theme"] });
}

const root = document.currentScript?.closest<HTMLElement>("[data-idc-saved]");
if (root) begin(root);
