// All pictures as a table that sorts.

import { complain, h, icon, percent, saveCsv } from "./dom.js";
import { measure, removePicture, resultOf, set, state } from "./state.js";

const COLUMNS = [
  ["Picture", (picture) => picture.name.toLowerCase(), (picture) => picture.name],
  ["Size", (picture) => (picture.width ?? 0) * (picture.height ?? 0), (picture) => (picture.width ? `${picture.width} × ${picture.height}` : "")],
  ["More focused than", (_, whole) => whole?.more_focused_than ?? whole?.focus ?? -1,
    (_, whole) => whole && (whole.more_focused_than === null ? `${whole.focus.toFixed(2)} bit` : `${percent(whole.more_focused_than)} of photographs`)],
  ["Half of the attention on", (_, whole) => whole?.half_in ?? -1, (_, whole) => whole && `${percent(whole.half_in, 1)} of the picture`],
  ["Hotspots", (_, whole) => whole?.hotspots ?? -1, (_, whole) => whole && String(whole.hotspots)],
  ["Center pull", (_, whole) => whole?.center_pull ?? -9, (_, whole) => whole && percent(whole.center_pull)],
  ["Regions", (picture) => picture.regions.length, (picture) => String(picture.regions.length)],
];

export class TableView {
  constructor() {
    this.by = 0;
    this.isFalling = false;
    this.element = h("div", { className: "table-view" });
  }

  show() {
    for (const picture of state.pictures) measure(picture).catch((error) => complain(`${picture.name}: ${error.message}`));
    const whole = (picture) => resultOf(picture).answer?.whole;
    const [, key] = COLUMNS[this.by];
    const sorted = [...state.pictures].sort((a, b) => {
      const [x, y] = [key(a, whole(a)), key(b, whole(b))];
      const order = typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
      return this.isFalling ? -order : order;
    });
    const focused = document.activeElement?.dataset?.key;
    this.element.replaceChildren(
      h("div", { className: "card-head" }, h("h1", {}, "All pictures"),
        h("button", { type: "button", className: "quiet", onclick: () => this.download(sorted, whole) }, icon("download"), "CSV")),
      h("div", { className: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { className: "unseen" }, "Preview")),
          COLUMNS.map(([name], column) => this.head(name, column)), h("th", { scope: "col" }, h("span", { className: "unseen" }, "Delete")))),
        h("tbody", {}, sorted.map((picture) => h("tr", {},
          h("td", {}, h("img", { className: "thumb", src: picture.url, alt: "" })),
          h("th", { scope: "row" }, h("button", { type: "button", className: "link", "data-key": picture.id,
            onclick: () => set({ current: picture.id, tab: "picture" }) }, picture.name)),
          COLUMNS.slice(1).map(([, , text]) => h("td", {}, text(picture, whole(picture)) || "…")),
          h("td", {}, h("button", { type: "button", className: "quiet", "aria-label": `Delete ${picture.name}`,
            onclick: () => removePicture(picture) }, icon("delete")))))))));
    if (focused) this.element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  head(name, column) {
    const isSorted = column === this.by;
    const sort = isSorted ? (this.isFalling ? "descending" : "ascending") : "none";
    return h("th", { scope: "col", "aria-sort": sort }, h("button", { type: "button", className: "sort", "data-key": name, onclick: () => {
      this.isFalling = isSorted ? !this.isFalling : column > 0;
      this.by = column;
      this.show();
    } }, name, h("span", { "aria-hidden": "true" }, isSorted ? (this.isFalling ? " ↓" : " ↑") : "")));
  }

  download(pictures, whole) {
    const head = ["picture", "width", "height", "half_in", "focus", "more_focused_than", "center_pull", "hotspots", "peak_x", "peak_y"];
    const rows = pictures.filter(whole).map((picture) => {
      const found = whole(picture);
      return [picture.name, picture.width, picture.height, found.half_in, found.focus,
        found.more_focused_than ?? "", found.center_pull, found.hotspots, ...found.peak];
    });
    saveCsv([head, ...rows], "pictures.attention.csv");
  }
}
