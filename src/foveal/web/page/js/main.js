// The page put together: what is dropped, pasted or picked goes in; what is chosen is shown.

import * as api from "./api.js";
import { CompareView } from "./compare-view.js";
import { complain, h, icon } from "./dom.js";
import { PictureView } from "./picture-view.js";
import { addFiles, addPicture, begin, current, forgetAll, measure, newId, onChange, removePicture, set, state } from "./state.js";
import { TableView } from "./table-view.js";

const EXAMPLES = "/page/examples/";
const views = { picture: new PictureView(), compare: new CompareView(), table: new TableView() };
const main = document.getElementById("main");
const rail = document.getElementById("rail");
const files = document.getElementById("files");
const model = document.getElementById("model");

// ---- what is shown -------------------------------------------------------------------------------------------------

function show() {
  const { tab } = state.settings;
  const picture = current();
  document.body.classList.toggle("empty", !picture);
  for (const button of document.querySelectorAll("[data-tab]")) {
    button.disabled = !picture;
    if (picture && button.dataset.tab === tab) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  model.value = state.settings.model;
  showRail(picture);
  if (!picture) {
    if (!main.querySelector(".welcome")) main.replaceChildren(welcome());
    return;
  }
  const view = views[tab] ?? views.picture;
  if (main.firstElementChild !== view.element) main.replaceChildren(view.element);
  view.show(picture);
  measure(picture).catch((error) => {
    if (picture.width) complain(error.message); // what is wrong with a new picture is said where it comes in
  });
}

function showRail(picture) {
  const key = JSON.stringify([state.pictures.map((one) => [one.id, one.url]), picture?.id]);
  if (rail.dataset.key === key) return;
  rail.dataset.key = key;
  const hadFocus = rail.contains(document.activeElement);
  rail.replaceChildren(...state.pictures.map((one) => h("li", {},
    h("button", { type: "button", className: "pick", "aria-current": one === picture ? "true" : null, title: one.name,
      onclick: () => set({ current: one.id, tab: state.settings.tab === "table" ? "picture" : state.settings.tab,
        compare: { ...state.settings.compare, a: one.id } }) },
      h("img", { src: one.url, alt: "" }), h("span", {}, one.name)),
    h("button", { type: "button", className: "quiet remove", "aria-label": `Delete ${one.name}`,
      onclick: () => removePicture(one) }, icon("delete")))),
    state.pictures.length ? h("li", { className: "forget" },
      h("button", { type: "button", className: "quiet", onclick: forgetAll }, "Forget all pictures")) : "");
  if (hadFocus) rail.querySelector(".pick[aria-current]")?.focus();
}

function welcome() {
  const examples = h("div", { className: "examples" });
  fetch(`${EXAMPLES}examples.json`).then((answer) => answer.json()).then((every) => {
    examples.append(...every.map((example) => h("button", { type: "button", className: "example", onclick: () => open(example) },
      h("img", { src: EXAMPLES + example.pictures[0].file, alt: "" }), h("span", {}, example.title))));
  }).catch(() => {});
  return h("section", { className: "welcome" },
    h("h1", {}, "See where people look"),
    h("p", { className: "lead" }, "Drop a photograph, a screenshot or a design. You get a heatmap, the share of attention of every part, ",
      "and how probable it is that people see it."),
    h("button", { type: "button", className: "drop-zone", onclick: () => files.click() },
      icon("add"), h("strong", {}, "Drop pictures here"), h("span", {}, "or press to choose, or paste. JPEG, PNG, WebP, TIFF …")),
    h("p", { className: "private" }, "Your pictures stay here: the server that runs this page keeps none, and writes none down."),
    h("h2", {}, "Or try one of ours"), examples);
}

async function open({ pictures }) {
  const added = [];
  for (const { file, name, regions } of pictures) {
    const blob = await fetch(EXAMPLES + file).then((answer) => answer.blob());
    added.push(await addPicture(blob, name, regions.map((region) => ({ id: newId(), ...region }))));
  }
  if (added.length > 1) set({ tab: "compare", compare: { ...state.settings.compare, kind: "pictures", a: added[0].id, b: added[1].id } });
}

// ---- what comes in -------------------------------------------------------------------------------------------------

const picturesIn = (transfer) => [...(transfer?.files ?? [])];

document.getElementById("add").onclick = () => files.click();
files.onchange = () => {
  addFiles(files.files);
  files.value = "";
};
document.onpaste = (event) => addFiles(picturesIn(event.clipboardData));
const veil = document.getElementById("drop-veil");
document.ondragover = (event) => {
  event.preventDefault();
  veil.hidden = ![...event.dataTransfer.types].includes("Files");
};
document.ondragleave = (event) => {
  if (!event.relatedTarget) veil.hidden = true;
};
document.ondrop = (event) => {
  event.preventDefault();
  veil.hidden = true;
  addFiles(picturesIn(event.dataTransfer));
};

// ---- the bar above -------------------------------------------------------------------------------------------------

for (const button of document.querySelectorAll("[data-tab]")) button.onclick = () => set({ tab: button.dataset.tab });
model.onchange = () => set({ model: model.value });

function fillModels() {
  const families = new Map([["deep", "Networks"], ["classical", "Classical models"], ["baseline", "Baselines"]]);
  const best = state.models.filter((one) => one.is_default);
  model.replaceChildren(...best.map((one) => h("option", { value: one.name }, `${one.name} (standard)`)),
    ...[...families].map(([family, label]) => h("optgroup", { label }, state.models
      .filter((one) => one.family === family && !one.is_default)
      .map((one) => h("option", { value: one.name, title: one.paper }, one.name)))));
}

async function fillReports() {
  const names = await api.reports();
  const menu = document.getElementById("reports");
  menu.hidden = !names.length;
  menu.querySelector(".menu-items").replaceChildren(...names.map((name) =>
    h("a", { href: `/reports/${encodeURIComponent(name)}/`, target: "_blank", rel: "noopener" }, name)));
}

try {
  await begin();
  fillModels();
  onChange(show);
  show();
  await fillReports();
} catch (error) {
  complain(error.message);
}
