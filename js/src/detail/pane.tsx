// The detail pane: all that is known of the row that the table is at.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { Latest } from "../kernel/link";
import type { Cell, Column, Detail, Level } from "../kernel/protocol";
import { noun } from "../state/levels";
import type { Store } from "../state/store";
import { copyText } from "../ui/clipboard";
import { cell, count, plural, size } from "../ui/format";
import { Icon, IconButton } from "../ui/icons";

/** The row that the table is at. */
export interface Focus {
  level: Level;
  row: number;
}

const REST_MS = 90; // a held arrow key asks for the row it ends at
const UIDS = ["SeriesInstanceUID", "StudyInstanceUID", "PatientID", "collection_id"];

interface Props {
  store: Store;
  focus: Signal<Focus | null>;
  /** Opens what a group holds in the table. */
  open: () => void;
  close: () => void;
  say: (text: string) => void;
}

export function DetailPane({ store, focus, open, close, say }: Props) {
  const shown = useSignal<{ to: Focus; value: Detail } | null>(null);
  const error = useSignal("");
  const [asked] = useState(() => new Latest<Detail>(store.link, "detail"));
  /** Another series of the study, chosen here; the table's next row replaces it. */
  const chosen = useSignal<Focus | null>(null);
  const pane = useRef<HTMLElement>(null);
  const at = focus.value;
  const to = chosen.value ?? at;

  useEffect(() => {
    // Told to the styles like this: with `:has(.idc-pane)` every change anywhere cost five times the layout.
    const root = pane.current!.closest<HTMLElement>(".idc-root");
    root?.setAttribute("data-details", "");
    // Where it has the view to itself, the keyboard comes along.
    const { offsetWidth, parentElement } = pane.current!;
    if (offsetWidth >= parentElement!.offsetWidth) pane.current!.querySelector("button")!.focus();
    return () => root?.removeAttribute("data-details");
  }, []);
  useEffect(() => {
    chosen.value = null;
  }, [at?.level, at?.row]);
  useEffect(() => {
    if (!to) return;
    const timer = setTimeout(() => {
      asked.ask(
        to,
        (value) => {
          error.value = "";
          shown.value = { to, value };
          pane.current?.scrollTo?.(0, 0);
        },
        (e) => (error.value = e.message),
      );
    }, shown.peek() ? REST_MS : 0);
    return () => clearTimeout(timer);
  }, [to?.level, to?.row]);

  const detail = shown.value;
  const current = detail !== null && to !== null && detail.to.level === to.level && detail.to.row === to.row;
  const level = detail?.to.level ?? "series";
  const copy = (what: string, text: string): void => {
    if (copyText(text)) say(`${what} copied.`);
  };
  return (
    <aside
      ref={pane}
      class="idc-pane"
      role="region"
      aria-label="Details"
      tabIndex={-1}
      aria-busy={!current}
      onKeyDown={(e) => {
        if (e.key === "Escape") {
          e.stopPropagation();
          close();
        } else if (e.key.length === 1) e.stopPropagation();
      }}
    >
      <div class="idc-pane-head">
        <strong>{detail ? titleOf(level, detail.value) : "Details"}</strong>
        <IconButton icon="close" label="Close details" onClick={close} />
      </div>
      {error.value && (
        <p class="idc-error" role="alert">
          {error.value}
        </p>
      )}
      {!to && <p class="idc-dim">Click a row to see all that is known of it.</p>}
      {to && !detail && !error.value && <p class="idc-dim">Looking it up…</p>}
      {detail && (
        <div class={current ? "" : "idc-pane-old"}>
          <Summary detail={detail.value} />
          <Links detail={detail.value} copy={copy} />
          {level !== "series" && (
            <button type="button" class="idc-button" onClick={open}>
              Show its {noun(level === "collection" ? "patient" : level === "patient" ? "study" : "series", true)}
            </button>
          )}
          {detail.value.about && <About text={detail.value.about} />}
          {detail.value.siblings.length > 0 && (
            <Siblings detail={detail.value} here={detail.to} choose={(row) => (chosen.value = { level: "series", row })} />
          )}
          <Fields store={store} level={level} detail={detail.value} copy={copy} />
          <section>
            <h3>In Python</h3>
            <pre class="idc-pane-code">{detail.value.code}</pre>
            <button type="button" class="idc-button" onClick={() => copy("Code", detail.value.code)}>
              <Icon name="copy" size={14} /> Copy code
            </button>
          </section>
        </div>
      )}
    </aside>
  );
}

function titleOf(level: Level, { fields, title }: Detail): string {
  const text = (name: string): string => String(fields[name] ?? "");
  if (level === "collection") return title || text("collection_id");
  if (level === "patient") return `Patient ${text("PatientID")}`;
  if (level === "study") return text("StudyDescription") || "Study without description";
  return text("SeriesDescription") || "Series without description";
}

function Summary({ detail: { fields, noncommercial } }: { detail: Detail }) {
  const text = (name: string): string => String(fields[name] ?? "");
  return (
    <p class="idc-pane-sum">
      {fields.Modality != null && <span class="idc-tag">{text("Modality")}</span>}
      <span>{plural(Number(fields.instanceCount ?? 0), "image")}</span>
      <b>{size(Number(fields.series_size_MB ?? 0))}</b>
      <span class={noncommercial ? "idc-nc" : ""}>
        {text("license_short_name")}
        {noncommercial && " · non-commercial"}
      </span>
    </p>
  );
}

function Links({ detail, copy }: { detail: Detail; copy: FieldsProps["copy"] }) {
  const safe = detail.links.filter((l) => /^https?:\/\//.test(l.url));
  return (
    <ul class="idc-links">
      {safe.map((l) => (
        <li key={l.url}>
          <a href={l.url} target="_blank" rel="noopener noreferrer">
            {l.label}
            <Icon name="out" size={12} />
          </a>{" "}
          <span class="idc-dim">{l.note}</span>
        </li>
      ))}
      {detail.dicomweb && (
        <li>
          <button type="button" class="idc-link" title={detail.dicomweb} onClick={() => copy("DICOMweb address", detail.dicomweb!)}>
            Copy DICOMweb address <Icon name="copy" size={12} />
          </button>
        </li>
      )}
    </ul>
  );
}

function About({ text }: { text: string }) {
  const whole = useSignal(text.length <= 400);
  return (
    <p class="idc-about">
      {whole.value ? text : `${text.slice(0, 320).trimEnd()}… `}
      {!whole.value && (
        <button type="button" class="idc-link" onClick={() => (whole.value = true)}>
          Read on
        </button>
      )}
    </p>
  );
}

function Siblings({ detail, here, choose }: { detail: Detail; here: Focus; choose: (row: number) => void }) {
  const { siblings, more } = detail;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    // By hand: `scrollIntoView` would move the notebook, too.
    const current = list.current!.querySelector("[aria-current]")?.getBoundingClientRect();
    const { top, bottom } = list.current!.getBoundingClientRect();
    if (current && (current.top < top || current.bottom > bottom)) list.current!.scrollTop += current.top - (top + bottom) / 2;
  }, [here.level, here.row]);
  return (
    <section>
      <h3>Series of the study ({count(siblings.length + more)})</h3>
      <ul ref={list} class="idc-siblings">
        {siblings.map(([row, modality, description, images, bytes]) => (
          <li key={row}>
            <button
              type="button"
              aria-current={here.level === "series" && row === here.row ? "true" : undefined}
              title={description ?? undefined}
              onClick={() => choose(row)}
            >
              <span class="idc-tag">{modality}</span>
              <span class="idc-sibling-text">{description || <span class="idc-dim">no description</span>}</span>
              <span class="idc-dim">{count(images)}</span>
              <span class="idc-dim">{size(bytes)}</span>
            </button>
          </li>
        ))}
      </ul>
      {more > 0 && <p class="idc-dim">and {count(more)} more</p>}
    </section>
  );
}

interface FieldsProps {
  store: Store;
  level: Level;
  detail: Detail;
  copy: (what: string, text: string) => void;
}

function Fields({ store, level, detail, copy }: FieldsProps) {
  const columns = new Map((store.catalog.value?.columns ?? []).map((c) => [c.name, c]));
  const list = Object.entries(detail.fields).filter(([, v]) => level === "series" || v !== null);
  return (
    <section>
      <h3>{level === "series" ? "All fields" : "In all its series"}</h3>
      <ul class="idc-fields">
        {list.map(([name, value]) => (
          <Field key={name} name={name} value={value} column={columns.get(name)} copy={copy} />
        ))}
      </ul>
    </section>
  );
}

interface FieldProps {
  name: string;
  value: Cell;
  column: Column | undefined;
  copy: (what: string, text: string) => void;
}

function Field({ name, value, column, copy }: FieldProps) {
  const text = cell(value, column?.type ?? "text");
  const label = column?.label ?? name;
  return (
    <li class="idc-field">
      <div class="idc-field-name">
        {label} {label !== name && <span>{name}</span>}
      </div>
      <div class="idc-field-line">
        <span class="idc-field-value">{text || <span class="idc-dim">missing</span>}</span>
        {text && (UIDS.includes(name) || /UID|uuid|DOI|url/.test(name)) && (
          <IconButton icon="copy" size={14} label={`Copy ${label}`} title={`Copy ${label}`} onClick={() => copy(label, String(value))} />
        )}
      </div>
      {column?.description && <div class="idc-field-help">{column.description}</div>}
    </li>
  );
}
