// Files to take along, each as the command line writes it.

import * as api from "./api.js";
import { complain, h, icon, save } from "./dom.js";
import { state } from "./state.js";

const FILES = [
  ["PNG", "overlay", "png", ".overlay.png", "The picture in this view"],
  ["PNG 2×", "overlay", "png2x", ".overlay@2x.png", "At twice the resolution, for slides"],
  ["SVG", "overlay", "svg", ".overlay.svg", "Lines and texts as vectors"],
  ["PDF report", "report", "pdf", ".attention.pdf", "The picture, its numbers and its regions, for printing"],
  ["CSV", "table", "csv", ".attention.csv", "One row a region"],
  ["JSON", "table", "json", ".attention.json", "All numbers; the schema says the version"],
];

export const stemOf = (name) => name.replace(/\.[^.]*$/, "") || "picture";

export function downloadsOf(picture) {
  return FILES.map(([label, path, format, ending, about]) => {
    const button = h("button", { type: "button", title: about, "aria-label": `Download ${label}: ${about}`, onclick: async () => {
      button.disabled = true;
      try {
        const { model, style } = state.settings;
        const legend = !picture.regions.length; // as `foveal predict` and `foveal attention` draw them
        const parts = { model, style, format, legend, regions: api.asRegions(picture.regions) };
        save(await api.file(path, picture, parts), stemOf(picture.name) + ending);
      } catch (error) {
        complain(error.message);
      } finally {
        button.disabled = false;
      }
    } }, icon("download"), label);
    return button;
  });
}
