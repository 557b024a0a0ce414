// The search box: what is typed suggests values at once, and after a pause becomes a condition over all text.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { toggle, withSearch } from "../cohort/condition";
import type { Store } from "../state/store";
import { compact } from "../ui/format";
import { Icon, IconButton } from "../ui/icons";
import { labeller } from "./labels";
import { applyList, ListResult, PasteDialog } from "./paste";
import { ask, isText, readings, take } from "./readings";
import { cleaned, isList, named, stands, suggest, type Suggestion } from "./suggest";

const REST_MS = 200; // no query at every key
const BREATH_MS = 90;
const PATIENCE_MS = 700; // for what a text means; then it is text
const SHORTEST = 3; // letters; Enter searches for fewer

let boxes = 0;

export function Search({ store }: { store: Store }) {
  const [list] = useState(() => `idc-offers-${boxes++}-${Math.random().toString(36).slice(2, 7)}`);
  const typed = useSignal<string | null>(null); // null: shows what the cohort says
  const open = useSignal(false);
  const at = useSignal(-1); // the suggestion that the keyboard is at
  const pasting = useSignal(false);
  const problem = useSignal("");
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const ahead = useRef("");
  const asking = useRef(0);
  const input = useRef<HTMLInputElement>(null);
  const current = useComputed(() => {
    const found = store.where.value.find((c) => c.op === "search");
    return found?.op === "search" ? found.text : "";
  });
  const offers = useComputed((): Suggestion[] => {
    const cube = store.cube.value;
    if (!open.value || typed.value === null || !cube) return [];
    return suggest(cube, store.catalog.value?.names ?? {}, typed.value).filter((s) => !stands(store.where.value, s));
  });
  /** Lets the kernel look for words before they are searched for: those typed out at once, the last one at a breath. */
  const lookAhead = (words: string): void => {
    if (words === ahead.current || isList(words)) return;
    ahead.current = words;
    if (words) store.link.request("words", { text: words }).catch(() => undefined); // the search itself will tell
  };
  const apply = (): void => {
    clearTimeout(timer.current);
    if (typed.value !== null) store.setWhere(withSearch(store.where.value, cleaned(typed.value)));
  };
  /** What the words mean, taken where that is clear; without an answer, what is known here, else the text. */
  const understand = (): void => {
    const text = cleaned(typed.value ?? current.value);
    if (!text || isList(text) || !store.live.value) return apply();
    clearTimeout(timer.current);
    open.value = false;
    const turn = ++asking.current;
    const settle = (terms: boolean): boolean => {
      if (turn !== asking.current) return false;
      asking.current++;
      clearTimeout(late);
      if (!terms) {
        typed.value = text;
        apply();
      }
      typed.value = null;
      return true;
    };
    const alone = (): void => {
      const values = store.cube.value ? named(store.cube.value, store.catalog.value?.names ?? {}, text) : [];
      if (settle(values.length > 0) && values.length) {
        const { column } = values[0]!;
        store.setWhere([...withSearch(store.where.value, ""), { op: "in", column, values: values.map((v) => v.value) }]);
      }
    };
    const late = setTimeout(alone, PATIENCE_MS);
    ask(store, text).then((found) => {
      // Also later than there was patience for, as long as nothing else was done since.
      const late = asking.current === turn + 1 && typed.value === null && isText(store);
      if ((settle(found.taken) || late) && found.taken) take(store, 0);
    }, alone);
  };
  /** The value that was meant, in place of the words. */
  const choose = (s: Suggestion): void => {
    clearTimeout(timer.current);
    typed.value = null;
    open.value = false;
    at.value = -1;
    store.setWhere(toggle(withSearch(store.where.value, ""), s.column, s.value));
  };
  const paste = (e: ClipboardEvent): void => {
    const text = e.clipboardData?.getData("text/plain") ?? "";
    if (!isList(text)) return;
    e.preventDefault();
    clearTimeout(timer.current);
    typed.value = null;
    open.value = false;
    problem.value = "";
    applyList(store, text).catch((failure: Error) => (problem.value = failure.message));
  };
  const key = (e: KeyboardEvent): void => {
    const n = offers.value.length;
    if (e.key === "Enter") {
      if (at.value >= 0 && offers.value[at.value]) choose(offers.value[at.value]!);
      else if (!e.altKey) understand();
      else {
        const now = typed.value === null ? readings(store) : null;
        if (now) take(store, (now.at + 1) % now.list.length);
        else apply();
        open.value = false;
      }
    } else if (e.key === "Escape") {
      if (n && at.value >= 0) at.value = -1;
      else {
        typed.value = "";
        apply();
      }
    } else if (n && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
      // One place more than suggestions: that is the box itself.
      at.value = ((at.value + 1 + (e.key === "ArrowDown" ? 1 : n)) % (n + 1)) - 1;
      e.preventDefault();
    }
    e.stopPropagation();
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  const label = labeller(store);
  const shown = offers.value;
  return (
    <div class="idc-search" role="search">
      <Icon name="search" />
      <input
        ref={input}
        class="idc-input"
        type="search"
        spellcheck={false}
        autocomplete="off"
        placeholder="Search, or paste UIDs"
        aria-label="Search all text"
        aria-autocomplete="list"
        aria-controls={list}
        aria-activedescendant={shown.length && at.value >= 0 ? `${list}-${at.value}` : undefined}
        value={typed.value ?? current.value}
        onInput={(e) => {
          typed.value = e.currentTarget.value;
          open.value = true;
          at.value = -1;
          problem.value = "";
          asking.current++;
          clearTimeout(timer.current);
          lookAhead(/^.*\s/s.exec(typed.value)?.[0].trim() ?? "");
          const text = typed.value.trim();
          if (!text) apply();
          else if (text.length >= SHORTEST) {
            timer.current = setTimeout(() => {
              lookAhead(text);
              timer.current = setTimeout(apply, REST_MS - BREATH_MS);
            }, BREATH_MS);
          }
        }}
        onPaste={paste}
        onBlur={() => {
          if (open.value && typed.value) apply();
          typed.value = null;
          open.value = false;
        }}
        onKeyDown={key}
      />
      <IconButton icon="list" class="idc-paste" label="Filter by a list of UIDs" title="Filter by a list of UIDs" aria-haspopup="dialog" onClick={() => (pasting.value = true)} />
      <ul id={list} role="listbox" aria-label="Suggestions" class="idc-offers" hidden={!shown.length}>
        {shown.map((s, i) => (
          <li
            key={`${s.column}\n${s.value}`}
            id={`${list}-${i}`}
            role="option"
            aria-selected={i === at.value}
            // Before the box loses the keyboard, which would end the list.
            onMouseDown={(e) => {
              e.preventDefault();
              choose(s);
            }}
          >
            <span class="idc-offer-column">{label(s.column)}</span>
            <span class="idc-label">
              {String(s.value)} <span class="idc-human">{s.human}</span>
            </span>
            <span class="idc-count">{compact(s.total)}</span>
          </li>
        ))}
      </ul>
      {problem.value && <p class="idc-error idc-search-problem" role="alert">{problem.value}</p>}
      <ListResult store={store} />
      {pasting.value && <PasteDialog store={store} onClose={() => (pasting.value = false)} />}
    </div>
  );
}
