// The bars of a histogram, painted in the frame of a click: three paths in a picture one unit high and one a bin wide.

export interface Plot {
  /** Series in the whole catalogue, and those that match, by bin. */
  total: ArrayLike<number>;
  counts: ArrayLike<number>;
  /** The first and the last bin to show. */
  shown: readonly [number, number];
  /** The chosen range in bins, if there is one. */
  span: readonly [number, number] | null;
  log: boolean;
}

const GAP = 0.16; // of a bin's width
const LEAST = 0.035; // of the height, for what is not nothing

/** Returns how to paint the bars in an element. */
export function drawBars(element: HTMLElement): (plot: Plot) => void {
  const svg = element.querySelector("svg")!;
  const [all, out, within] = [...svg.querySelectorAll("path")] as [SVGPathElement, SVGPathElement, SVGPathElement];
  const span = element.querySelector<HTMLElement>(".idc-plot-span")!;
  const written = new Map<Element, string>();
  const write = (path: SVGPathElement, d: string): void => {
    if (written.get(path) === d) return;
    written.set(path, d);
    path.setAttribute("d", d);
  };
  return ({ total, counts, shown, span: chosen, log }) => {
    const [first, last] = shown;
    const n = last - first + 1;
    const box = `0 0 ${n} 1`;
    if (svg.getAttribute("viewBox") !== box) svg.setAttribute("viewBox", box);
    let top = 0;
    for (let i = first; i <= last; i++) top = Math.max(top, total[i]!);
    const height = (v: number): number => (v <= 0 ? 0 : Math.max(LEAST, log ? Math.log1p(v) / Math.log1p(top) : v / top));
    let allPath = "";
    let outPath = "";
    let inPath = "";
    for (let i = first; i <= last; i++) {
      allPath += bar(i - first, height(total[i]!));
      const h = height(counts[i]!);
      if (chosen && (i + 1 <= chosen[0] || i >= chosen[1])) outPath += bar(i - first, h);
      else inPath += bar(i - first, h);
    }
    write(all, allPath);
    write(out, outPath);
    write(within, inPath);
    span.hidden = chosen === null;
    if (chosen) {
      span.style.left = `${((chosen[0] - first) / n) * 100}%`;
      span.style.width = `${(Math.max(0.05, chosen[1] - chosen[0]) / n) * 100}%`;
    }
  };
}

const bar = (x: number, h: number): string =>
  h > 0 ? `M${x + GAP / 2} 1v${(-h).toFixed(4)}h${1 - GAP}v${h.toFixed(4)}z` : "";
