// Bundles the frontend into ../idc_widgets/static: one ES module, the same as a script for saved views, one style sheet.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { LIVE_ONLY } from "./src/saved_view/live_only.mjs";

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
const source = here("src/");
const unmet = new Set(LIVE_ONLY);
const withoutLive = {
  name: "without-live",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.tsx?$/ }, ({ path }) => {
      const name = path.slice(source.length).replaceAll("\\", "/");
      if (!path.startsWith(source) || !LIVE_ONLY.includes(name)) return undefined;
      unmet.delete(name);
      return { contents: "" };
    }),
};
const saved = { plugins: [withoutLive], logOverride: { "import-is-undefined": "silent" } };
await build({ ...script, entryPoints: [here("src/app/index.ts")], outfile: `${out}/widget.js`, format: "esm" });
await build({ ...script, entryPoints: [here("src/saved_view/index.ts")], outfile: `${out}/saved.js`, format: "iife", ...saved });
await build({ ...shared, entryPoints: [here("src/styles/widget.css")], outfile: `${out}/widget.css` });

if (unmet.size) {
  console.error(`src/saved_view/live_only.mjs names what the saved view does not import: ${[...unmet].join(", ")}.`);
  process.exit(1);
}

const kB = (name) => readFileSync(`${out}/${name}`).length / 1000;
const files = ["widget.js", "saved.js", "widget.css"];
console.log(files.map((name) => `${name} ${kB(name).toFixed(1)} kB`).join(", "));
for (const name of files) {
  if (kB(name) > LIMIT_KB) {
    console.error(`${name} is larger than ${LIMIT_KB} kB.`);
    process.exit(1);
  }
}
