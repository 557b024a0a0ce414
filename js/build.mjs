// Bundles the frontend into ../idc_widgets/static: one ES module, the same as a script for saved views, one style sheet.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const LIMIT_KB = 178; // the module travels with every widget instance
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here("../idc_widgets/static");

const shared = { bundle: true, minify: true, target: "es2022", logLevel: "warning" };
const script = {
  ...shared,
  // Shorter than the automatic runtime, which names the children of every element, and than escapes of “ and ….
  tsconfigRaw: { compilerOptions: { jsx: "react", jsxFactory: "h", jsxFragmentFactory: "Fragment" } },
  inject: [here("jsx.mjs")],
  charset: "utf8",
  legalComments: "none",
};
// What is shown only while a kernel answers (`store.live`) stays out of the script that every saved view carries.
const LIVE_ONLY = /src.(selection.(bar|copy)|downloads.(panel|jobs)|detail.pane|table.(save|chooser)|panel.(about|code|columns|kernelfacet|readings|search))\.tsx?$/;
const withoutLive = {
  name: "without-live",
  setup: ({ onLoad }) => onLoad({ filter: LIVE_ONLY }, () => ({ contents: "" })),
};
const saved = { plugins: [withoutLive], logOverride: { "import-is-undefined": "silent" } };
await build({ ...script, entryPoints: [here("src/index.ts")], outfile: `${out}/widget.js`, format: "esm" });
await build({ ...script, entryPoints: [here("src/saved/index.ts")], outfile: `${out}/saved.js`, format: "iife", ...saved });
await build({ ...shared, entryPoints: [here("src/styles/widget.css")], outfile: `${out}/widget.css` });

const kB = (name) => readFileSync(`${out}/${name}`).length / 1000;
const files = ["widget.js", "saved.js", "widget.css"];
console.log(files.map((name) => `${name} ${kB(name).toFixed(1)} kB`).join(", "));
for (const name of files) {
  if (kB(name) > LIMIT_KB) {
    console.error(`${name} is larger than ${LIMIT_KB} kB.`);
    process.exit(1);
  }
}
