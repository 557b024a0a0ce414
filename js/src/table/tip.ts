// The whole text of the cell that the keyboard is at, where the cell cuts it.

export class Tip {
  #element: HTMLElement | null = null;

  constructor(readonly home: HTMLElement) {}

  show(cell: HTMLElement, text: string): void {
    const tip = (this.#element ??= this.#make());
    tip.textContent = text;
    tip.hidden = false;
    const at = cell.getBoundingClientRect();
    const frame = this.home.getBoundingClientRect();
    const room = frame.width - 12;
    tip.style.maxWidth = `${Math.min(520, room)}px`;
    const width = tip.offsetWidth;
    const below = at.bottom - frame.top + 3;
    tip.style.left = `${Math.max(6, Math.min(at.left - frame.left, room - width + 6))}px`;
    tip.style.top = `${below + tip.offsetHeight <= frame.height ? below : at.top - frame.top - tip.offsetHeight - 3}px`;
  }

  hide(): void {
    if (this.#element) this.#element.hidden = true;
  }

  #make(): HTMLElement {
    const tip = document.createElement("div");
    tip.className = "idc-tip";
    tip.setAttribute("role", "tooltip");
    this.home.append(tip);
    return tip;
  }
}
