// Where the rows of a very long table stand: browsers cap the height of an element (Firefox at about 17.9 million
// pixels), so above a limit the scrollbar is scaled while the wheel and the keys still move by natural distances.

/** Height that every browser lays out. */
export const MAX_HEIGHT = 15_000_000;

export class Scroller {
  rows = 0;
  view = 0;
  /** Distance from the top of row 0 to the top of the view, in unscaled pixels. */
  top = 0;
  #bar = 0;

  constructor(
    readonly rowHeight: number,
    readonly maxHeight = MAX_HEIGHT,
  ) {}

  /** Unscaled height of all rows. */
  get length(): number {
    return this.rows * this.rowHeight;
  }

  /** Height of the scrolled element. */
  get height(): number {
    return Math.min(this.length, this.maxHeight);
  }

  get scaled(): boolean {
    return this.length > this.maxHeight;
  }

  get maxTop(): number {
    return Math.max(0, this.length - this.view);
  }

  get #maxBar(): number {
    return Math.max(0, this.height - this.view);
  }

  /** scrollTop of the element as last seen or set: reading it from the page would lay the page out. */
  get seen(): number {
    return this.#bar;
  }

  /** The element's scrollTop was set to `bar`. */
  placed(): void {
    this.#bar = this.bar;
  }

  /** The scrollTop that shows `top`. */
  get bar(): number {
    return this.maxTop === 0 ? 0 : (this.top / this.maxTop) * this.#maxBar;
  }

  /** Changes the number of rows or the height of the view; the top stays where it is if it can. */
  resize(rows: number, view: number): void {
    this.rows = rows;
    this.view = view;
    this.moveTo(this.top);
  }

  moveTo(top: number): void {
    this.top = Math.min(Math.max(0, top), this.maxTop);
  }

  /** The wheel: natural distance, whatever the scale. */
  moveBy(pixels: number): void {
    this.moveTo(this.top + pixels);
  }

  /**
   * The element was scrolled to `scrollTop`, by the bar or by a finger.
   *
   * Returns true when it was a jump (a dragged bar). A short way, as a finger makes, counts as natural distance even
   * when scaled; the ends are always the ends.
   */
  scrolled(scrollTop: number): boolean {
    const way = scrollTop - this.#bar;
    this.#bar = scrollTop;
    // Browsers round scrollTop: that is no movement.
    if (Math.abs(way) < 1) return false;
    const near = Math.abs(way) < this.view;
    if (!this.scaled) this.top = Math.min(scrollTop, this.maxTop);
    else if (scrollTop <= 0) this.top = 0;
    else if (scrollTop >= this.#maxBar - 1) this.top = this.maxTop;
    else if (near) this.top = Math.min(Math.max(0, this.top + way), this.maxTop);
    else this.top = (scrollTop / this.#maxBar) * this.maxTop;
    return !near;
  }

  /** Index of the first row in view, and one past the last. */
  range(): [first: number, end: number] {
    const first = Math.floor(this.top / this.rowHeight);
    const end = Math.min(this.rows, Math.ceil((this.top + this.view) / this.rowHeight));
    return [Math.min(first, this.rows), end];
  }

  /** Moves just as far as needed to show a row whole. */
  reveal(row: number): void {
    const start = row * this.rowHeight;
    if (start < this.top) this.moveTo(start);
    else if (start + this.rowHeight > this.top + this.view) this.moveTo(start + this.rowHeight - this.view);
  }
}
