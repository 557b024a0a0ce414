// What JSX is compiled to; esbuild puts it into every module that needs it.
export { Fragment, h } from "preact";
