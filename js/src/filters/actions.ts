// What a facet can have its panel do.

import { createContext } from "preact";
import type { MenuTarget } from "./menu";

export interface Actions {
  menu(target: MenuTarget): void;
  about(column: string, value: string): void;
}

export const PanelActions = createContext<Actions>({ menu: () => {}, about: () => {} });
