// A against B: two pictures by one model, or one picture by two models.

import * as api from "./api.js";
import { complain, h, percent, save, saveCsv } from "./dom.js";
import { stemOf } from "./downloads.js";
import { legendOf } from "./picture-view.js";
import { changeRegions, current, newId, overlayOf, pictureOf, set, state } from "./state.js";

export class CompareView {
  constructor() {
    this.element = h("div", { className: "compare-view" });
    this.shown = "";
  }

  get chosen() {
    const { compare, model } = state.settings;
    const a = pictureOf(compare.a) ?? current();
    if (compare.kind === "models") {
      const modelB = state.models.some((one) => one.name === compare.modelB) ? compare.modelB
        : state.models.find((one) => one.name !== model && one.family === "classical").name;
      return { a, b: a, modelA: model, modelB, isOfModels: true };
    }
    const b = pictureOf(compare.b) ?? state.pictures.find((picture) => picture !== a) ?? a;
    return { a, b, modelA: model, modelB: model, isOfModels: false };
  }

  show() {
    const { a, b, modelA, modelB, isOfModels } = this.chosen;
    const key = [a.id, b.id, modelA, modelB, api.asRegions(a.regions), api.asRegions(b.regions), state.settings.style,
      state.pictures.map((picture) => picture.name)].join("|");
    if (this.shown === key) return;
    this.shown = key;
    const choose = (compare) => set({ compare: { ...state.settings.compare, ...compare } });
    const kinds = h("div", { className: "segments", role: "group", "aria-label": "What is compared" },
      [["pictures", "Two pictures"], ["models", "Two models"]].map(([kind, label]) => h("button", { type: "button",
        "aria-pressed": String(isOfModels === (kind === "models")), onclick: () => choose({ kind }) }, label)));
    const pictures = state.pictures.map((picture) => [picture.id, picture.name]);
    const choices = isOfModels
      ? [chooser("Picture", pictures, a.id, (id) => choose({ a: id })),
        chooser("Model B", state.models.map(({ name }) => [name, name]), modelB, (name) => choose({ modelB: name }))]
      : [chooser("A", pictures, a.id, (id) => choose({ a: id })), chooser("B", pictures, b.id, (id) => choose({ b: id }))];
    this.results = h("div", { className: "compare-results", "aria-live": "polite" },
      a === b && !isOfModels ? h("p", { className: "hint" }, state.pictures.length > 1 ? "Choose two different pictures."
        : "Add a second picture to compare with.") :
        h("p", { className: "hint" }, "Comparing …"));
    this.element.replaceChildren(h("div", { className: "toolbar" }, kinds, ...choices), this.results);
    if (a !== b || isOfModels) this.fill(key);
  }

  async fill(key) {
    const { a, b, modelA, modelB, isOfModels } = this.chosen;
    const { style } = state.settings;
    try {
      const [found, drawingA, drawingB, difference] = await Promise.all([api.compare(a, b, modelA, modelB),
        overlayOf(a, style, modelA), overlayOf(b, style, modelB), api.difference(a, b, modelA, modelB)]);
      if (this.shown !== key) return;
      const names = isOfModels ? [modelA, modelB] : [a.name, b.name];
      const isOtherShape = Math.abs((a.width * b.height) / (a.height * b.width) - 1) > 0.02;
      const map = URL.createObjectURL(difference);
      this.results.replaceChildren(
        h("div", { className: "side-by-side" },
          side("A", names[0], a, drawingA, found.a), side("B", names[1], b, drawingB, found.b)),
        h("div", { className: "legend" }, legendOf(state.styles.find((one) => one.name === style))),
        h("section", { className: "card" },
          h("div", { className: "card-head" }, h("h2", {}, "Difference"),
            h("button", { type: "button", className: "quiet", onclick: () => save(difference, "against.png") }, "Download PNG")),
          isOtherShape ? h("p", { className: "hint" }, "B has another shape. The map stretches it to the shape of A.") : null,
          h("img", { className: "difference", src: map,
            alt: `Orange where A, ${names[0]}, gets more attention; blue where B, ${names[1]}, does` })),
        this.table(found, a, b));
    } catch (error) {
      if (this.shown !== key) return;
      this.results.replaceChildren(h("p", { className: "hint" }, error.message));
      complain(error.message);
    }
  }

  table(found, a, b) {
    if (!found.compared.length) {
      const copy = () => changeRegions(b, [...b.regions, ...a.regions.map((region) => ({ ...scaled(region, a, b), id: newId() }))]);
      return h("p", { className: "hint" }, "Regions with the same names in both pictures are compared. ",
        a !== b && a.regions.length ? h("button", { type: "button", onclick: copy }, "Copy the regions of A to B") : null);
    }
    const rows = found.compared.map((row) => [row.name, row.a, row.b, row.difference, row.winner]);
    const csv = () => saveCsv([["name", "a", "b", "difference", "winner"], ...rows], `${stemOf(a.name)}.against.csv`);
    return h("section", { className: "card" },
      h("div", { className: "card-head" }, h("h2", {}, "Regions"), h("button", { type: "button", className: "quiet",
        onclick: csv }, "Download CSV")),
      h("div", { className: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, ["Region", "A", "B", "A − B", "Wins"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, found.compared.map((row) => h("tr", {}, h("th", { scope: "row" }, row.name),
          h("td", {}, percent(row.a, 1)), h("td", {}, percent(row.b, 1)),
          h("td", {}, points(row.difference)),
          h("td", { className: `wins-${row.winner}` }, row.winner)))))));
  }
}

// A region of A at the same place of B.
function scaled(region, a, b) {
  const [x, y] = [b.width / a.width, b.height / a.height];
  const { box, polygon } = region;
  return box ? { ...region, box: [box[0] * x, box[1] * y, box[2] * x, box[3] * y] }
    : { ...region, polygon: polygon.map((corner) => [corner[0] * x, corner[1] * y]) };
}

// A difference of shares, in points of a hundred.
function points(difference) {
  const size = Math.abs(100 * difference).toFixed(1);
  const sign = size === "0.0" ? "" : difference > 0 ? "+" : "−";
  return `${sign}${size} points`;
}

function chooser(label, options, value, onchoose) {
  const select = h("select", { onchange: () => onchoose(select.value) }, options.map(([id, name]) => h("option", { value: id }, name)));
  select.value = value;
  return h("label", { className: "field" }, h("span", {}, label), select);
}

function side(letter, name, picture, drawing, answer) {
  return h("figure", { className: `side side-${letter}` },
    h("figcaption", {}, h("span", { className: "letter" }, letter), h("span", { className: "side-name" }, name)),
    h("img", { src: drawing, alt: `Where people look in ${letter}, ${name}` }),
    h("p", {}, answer.whole.in_words));
}
