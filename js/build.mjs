// Bundles the frontend into ../idc_widgets/static: one ES module, one style sheet.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const LIMIT_KB = 140; // the module travels with every widget instance
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here("../idc_widgets/static");

const shared = { bundle: true, minify: true, target: "es2022", logLevel: "warning" };
await build({
  ...shared,
  entryPoints: [here("src/index.ts")],
  outfile: `${out}/widget.js`,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
});
await build({ ...shared, entryPoints: [here("src/styles/widget.css")], outfile: `${out}/widget.css` });

const kB = (name) => readFileSync(`${out}/${name}`).length / 1000;
console.log(`widget.js ${kB("widget.js").toFixed(1)} kB, widget.css ${kB("widget.css").toFixed(1)} kB`);
if (kB("widget.js") > LIMIT_KB) {
  console.error(`widget.js is larger than ${LIMIT_KB} kB.`);
  process.exit(1);
}
