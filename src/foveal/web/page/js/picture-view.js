// One picture: tools, the picture itself, its legend, and its numbers.

import { h, icon } from "./dom.js";
import { Panel } from "./panel.js";
import { Stage } from "./stage.js";
import { set, state } from "./state.js";

const TOOLS = [["select", "Select"], ["box", "Box"], ["polygon", "Polygon"]];

export class PictureView {
  constructor() {
    this.stage = new Stage();
    this.panel = new Panel(this.stage);
    this.styles = h("div", { className: "segments", role: "group", "aria-label": "View" });
    this.tools = h("div", { className: "segments", role: "group", "aria-label": "Tool" }, TOOLS.map(([tool, label]) =>
      h("button", { type: "button", title: label, onclick: () => set({ tool }), "data-tool": tool },
        icon(tool), h("span", {}, label))));
    this.opacity = h("input", { type: "range", min: 0, max: 1, step: 0.05, id: "opacity",
      oninput: () => set({ opacity: Number(this.opacity.value) }) });
    this.simulate = h("button", { type: "button", className: "toggle", onclick: () => set({ simulate: !state.settings.simulate }) },
      icon("path"), "Simulate");
    this.another = h("button", { type: "button", className: "quiet", onclick: () => set({ seed: state.settings.seed + 1 }) },
      "Another viewer");
    this.first = h("span");
    this.simulation = h("p", { className: "simulation" }, h("strong", {}, "Simulation"), this.first, this.another);
    this.how = h("p", { className: "hint" }, "Press corner after corner. Enter, a double click or the first corner closes the ",
      "polygon; Escape leaves it.");
    this.legend = h("div", { className: "legend" });
    this.element = h("div", { className: "picture-view" },
      h("div", { className: "center" },
        h("div", { className: "toolbar", role: "toolbar", "aria-label": "Picture" }, this.styles,
          h("label", { className: "slider", for: "opacity" }, h("span", {}, "Strength"), this.opacity), this.tools), this.how,
        this.stage.element, h("div", { className: "below" }, this.legend, this.simulate), this.simulation),
      this.panel.element);
  }

  show(picture) {
    const { style, tool, simulate, opacity, n } = state.settings;
    if (!this.styles.childElementCount) {
      this.styles.append(...state.styles.map(({ name }) => h("button", { type: "button", "data-style": name,
        onclick: () => set({ style: name }) }, name[0].toUpperCase() + name.slice(1))));
    }
    for (const button of this.styles.children) button.setAttribute("aria-pressed", String(button.dataset.style === style));
    for (const button of this.tools.children) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    this.simulate.setAttribute("aria-pressed", String(simulate));
    this.how.hidden = tool !== "polygon";
    this.simulation.hidden = !simulate;
    this.first.textContent = ` The first ${n === 1 ? "fixation" : `${n} fixations`} of a simulated viewer, not of a person. `;
    this.opacity.value = opacity;
    this.opacity.setAttribute("aria-valuetext", `${Math.round(100 * opacity)} %`);
    this.stage.show(picture);
    this.panel.show(picture);
    this.legend.replaceChildren(...legendOf(state.styles.find((one) => one.name === style)));
  }
}

export function legendOf(style) {
  if (!style) return [];
  const sentence = h("span", {}, style.legend);
  if (!style.colors.length) return [sentence];
  const bar = h("span", { className: "color-bar", "aria-hidden": "true" });
  bar.style.background = `linear-gradient(to right, ${style.colors.join(", ")})`;
  return [sentence, h("span", { className: "color-bar-box" }, bar,
    h("span", { className: "ticks" }, ["0 %", "25 %", "50 %", "75 %", "95 %"].map((tick) => h("span", {}, tick))))];
}
