// What is shown only while a kernel answers (`store.live`). The build puts empty modules in their place in the script
// that every saved view carries, and fails where one of them is no longer there.

export const LIVE_ONLY = [
  "detail/pane.tsx",
  "downloads/jobs.ts",
  "downloads/panel.tsx",
  "filters/about.tsx",
  "filters/code.tsx",
  "filters/columns.tsx",
  "filters/kernelfacet.tsx",
  "filters/readings.tsx",
  "filters/search.tsx",
  "selection/bar.tsx",
  "table/chooser.tsx",
  "table/save.tsx",
];
