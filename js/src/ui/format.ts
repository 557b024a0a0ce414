// Numbers, sizes, dates and times as people read them.

const integers = new Intl.NumberFormat("en-US");
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** 1044191 → "1,044,191". */
export const count = (n: number): string => integers.format(n);

/** Three figures at most: "843", "12.9k", "271k", "1.04M". */
export function compact(n: number): string {
  if (n < 1000) return String(n);
  const [value, unit] = n < 999_500 ? [n / 1e3, "k"] : [n / 1e6, "M"];
  return `${value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)}${unit}`;
}

/** "1 file", "6,571 files"; `many` when adding an s is wrong. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** Bytes in units of 10^3, with three figures: "314 MB", "1.92 TB", "89 kB". */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would round to 1,000: that is one of the next unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Seconds as "14 s", "3 min", "2 h 5 min", "4 days". */
export function duration(seconds: number): string {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.round(hours / 24)} days`;
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "2026-09-26" → "26 Sep 2026"; anything else stays as it is. */
export function longDate(iso: string): string {
  const m = /^(\d{4})-(\d{2})-(\d{2})/.exec(iso);
  const month = m && MONTHS[Number(m[2]) - 1];
  return m && month ? `${Number(m[3])} ${month} ${m[1]}` : iso;
}

/** What a cell of the table shows. */
export function cell(value: unknown, type: string): string {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value === "number") {
    if (type === "bytes") return size(value);
    if (type === "integer") return count(value);
    if (type === "number") return Number.isInteger(value) ? count(value) : value.toLocaleString("en-US");
    return String(value);
  }
  if (type === "date") return String(value).replace(/^(\d{4}-\d\d-\d\d)[T ]\d.*$/, "$1");
  return String(value);
}

/** Long dotted identifiers by their ends, of which even the narrowest column shows all: those of one site begin alike. */
export const shortened = (text: string, kept = 7): string =>
  text.replace(/[\d.]{21,}/g, (uid) => `…${uid.slice(-kept).replace(/^\.+/, "")}`);
