// The picture with its overlay, its regions, which are drawn and moved here, and a simulated viewer.

import * as api from "./api.js";
import { complain, h, share, tell } from "./dom.js";
import { boundsOf, boxBetween, cornersOf, isLarge, moved, resized, withCorner } from "./regions.js";
import { changeRegions, changed, newId, newName, overlayOf, resultOf, set, state } from "./state.js";

const HANDLE = 6; // px of the screen: radius of a corner that can be dragged
const LEAST = 6; // px of the screen: side of a region that is worth keeping
const DOUBLE = 400; // ms between the presses of a double click
const LETTERS = 12; // px of the screen: size of a label's text
const NARROW = 560; // px of the screen: names would cover a picture that is narrower
const STEP = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const ruler = document.createElement("canvas").getContext("2d");
const widthOf = (text) => {
  ruler.font = `600 ${LETTERS}px ${getComputedStyle(document.body).fontFamily}`;
  return ruler.measureText(text).width;
};

export class Stage {
  constructor() {
    this.photo = h("img", { className: "photo", alt: "" });
    this.overlay = h("img", { className: "overlay", alt: "" });
    this.drawing = h("svg", { class: "regions", "aria-label": "Regions" });
    this.canvas = h("div", { className: "canvas" }, this.photo, this.overlay, this.drawing);
    this.element = h("div", { className: "stage" }, this.canvas);
    this.picture = null;
    this.selected = null; // id of a region
    this.drag = null; // what the pointer is doing
    this.begun = []; // corners of a polygon that is being drawn
    this.pressedAt = 0; // ms
    this.before = []; // the regions before each change, for undo
    this.path = { key: "", fixations: [] };
    this.drawing.onpointerdown = (event) => this.pressed(event);
    this.drawing.onpointermove = (event) => this.pulled(event);
    this.drawing.onpointerup = (event) => this.released(event);
    this.drawing.onpointercancel = () => { this.drag = null; };
    this.photo.onload = () => this.canvas.style.setProperty("--ratio", this.photo.naturalWidth / this.photo.naturalHeight);
    document.addEventListener("keydown", (event) => {
      if (this.element.isConnected && !event.target.closest("input, select, textarea")) this.typed(event);
    });
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  show(picture) {
    if (this.picture !== picture) {
      this.picture = picture;
      this.begun = [];
      this.before = [];
      this.drag = null;
      this.selected = null;
    }
    if (this.photo.src !== picture.url) this.photo.src = picture.url;
    this.photo.alt = picture.name;
    const { width, height } = picture;
    this.canvas.classList.toggle("waiting", !width);
    if (width) {
      this.canvas.style.setProperty("--ratio", width / height);
      this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    }
    this.drawing.dataset.tool = state.settings.tool;
    this.overlay.style.opacity = state.settings.opacity;
    this.showOverlay(picture);
    this.showPath(picture);
    this.draw();
  }

  async showOverlay(picture) {
    const { style, model } = state.settings;
    const key = `${picture.id}|${model}|${style}`;
    if (this.shown === key) return;
    this.shown = key;
    this.overlay.hidden = true; // that of another picture, model or style
    try {
      const url = await overlayOf(picture, style);
      if (this.shown !== key) return;
      this.overlay.src = url;
      await this.overlay.decode().catch(() => {});
      this.overlay.alt = `Where people look: ${style}`;
      this.overlay.dataset.of = key;
      this.overlay.hidden = false;
    } catch (error) {
      if (this.shown === key) this.shown = null;
      if (state.pictures.includes(picture) && picture.width) complain(error.message);
    }
  }

  async showPath(picture) {
    const { simulate, n, seed, model } = state.settings;
    const key = simulate && picture.width ? `${picture.id}|${model}|${n}|${seed}` : "";
    if (this.path.key === key) return;
    this.path = { key, fixations: [] };
    if (!key) return;
    try {
      const fixations = await api.fixations(picture, model, n, seed);
      if (this.path.key === key) this.path.fixations = fixations;
      this.draw();
    } catch (error) {
      complain(error.message);
    }
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------

  // Pixels of the picture to one of the screen.
  get scale() {
    return this.picture.width / (this.canvas.clientWidth || this.picture.width);
  }

  draw() {
    if (!this.picture) return;
    if (!this.picture.width) {
      this.drawing.replaceChildren(); // nothing of the picture before
      return;
    }
    const hadFocus = this.drawing.contains(document.activeElement);
    const { regions: numbers } = resultOf(this.picture);
    this.drawing.replaceChildren(
      ...this.picture.regions.map((region) => this.drawnRegion(region, numbers.get(region.id)?.share)),
      ...this.drawnBeginning(),
      ...this.drawnPath(),
    );
    if (hadFocus) this.drawing.querySelector(`[data-id="${this.selected}"]`)?.focus({ preventScroll: true });
  }

  drawnRegion(region, ofAll) {
    const points = cornersOf(region).map((corner) => corner.join(",")).join(" ");
    const { left, top } = boundsOf(region);
    const isSelected = region.id === this.selected;
    const text = ofAll === undefined ? region.name : `${share(ofAll)} ${region.name}`;
    const isShort = this.canvas.clientWidth < NARROW && !isSelected && ofAll !== undefined;
    return h("g", { class: isSelected ? "region selected" : "region", "data-id": region.id, tabindex: 0, role: "button",
        "aria-pressed": String(isSelected), "aria-label": `Region ${text}. Arrow keys move it, with Alt they resize it.` },
      h("polygon", { class: "rim", points }), h("polygon", { class: "line", points }),
      this.drawnLabel(isShort ? share(ofAll) : text, left, top),
      isSelected ? cornersOf(region).map(([x, y], corner) =>
        h("circle", { class: "handle", "data-corner": corner, cx: x, cy: y, r: HANDLE * this.scale })) : null);
  }

  // On top of the upper side, or below it where the picture ends.
  drawnLabel(text, left, top) {
    const size = LETTERS * this.scale;
    const [width, height] = [widthOf(text) * this.scale + size, 1.6 * size];
    const x = Math.max(0, Math.min(left, this.picture.width - width));
    const y = top >= height ? top - height : top;
    return [h("rect", { class: "label", x, y, width, height, rx: size / 4 }),
      h("text", { x: x + size / 2, y: y + height / 2, "font-size": size }, text)];
  }

  drawnBeginning() {
    if (this.drag?.kind === "box" && this.drag.box) {
      const points = cornersOf({ box: this.drag.box }).map((corner) => corner.join(",")).join(" ");
      return [h("polygon", { class: "rim", points }), h("polygon", { class: "line begun", points })];
    }
    if (!this.begun.length) return [];
    const points = [...this.begun, ...(this.pointer ? [this.pointer] : [])].map((corner) => corner.join(",")).join(" ");
    return [h("polyline", { class: "rim", points }), h("polyline", { class: "line begun", points }),
      ...this.begun.map(([x, y]) => h("circle", { class: "handle", cx: x, cy: y, r: (HANDLE - 2) * this.scale }))];
  }

  drawnPath() {
    const { fixations } = this.path;
    if (!fixations.length) return [];
    const radius = 13 * this.scale;
    const points = fixations.map(({ x, y }) => `${x + 0.5},${y + 0.5}`).join(" ");
    return [h("polyline", { class: "path-rim", points }), h("polyline", { class: "path", points }),
      ...fixations.map(({ x, y }, number) => h("g", { class: "fixation" },
        h("circle", { cx: x + 0.5, cy: y + 0.5, r: radius }),
        h("text", { x: x + 0.5, y: y + 0.5, "font-size": radius * 1.1 }, String(number + 1))))];
  }

  // ---- pointer -----------------------------------------------------------------------------------------------------

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.picture.width;
    const y = ((event.clientY - box.top) / box.height) * this.picture.height;
    return [Math.min(Math.max(x, 0), this.picture.width), Math.min(Math.max(y, 0), this.picture.height)];
  }

  pressed(event) {
    if (event.button !== 0 || !this.picture?.width) return;
    const point = this.at(event);
    const { tool } = state.settings;
    if (tool === "polygon") {
      const isDouble = event.timeStamp - this.pressedAt < DOUBLE && this.isNear(point, this.begun.at(-1) ?? [NaN, NaN]);
      this.pressedAt = event.timeStamp;
      if (isDouble || (this.begun.length > 2 && this.isNear(point, this.begun[0]))) this.closePolygon();
      else if (!this.begun.length || !this.isNear(point, this.begun.at(-1))) this.begun.push(point);
      this.draw();
      return;
    }
    this.drawing.setPointerCapture(event.pointerId);
    if (tool === "box") {
      this.drag = { kind: "box", from: point };
      return;
    }
    const corner = event.target.dataset?.corner;
    const id = event.target.closest?.(".region")?.dataset.id ?? null;
    this.select(id);
    const region = this.regionOf(id);
    if (!region) return;
    this.remember();
    this.drag = { kind: corner === undefined ? "move" : "corner", from: point, corner: Number(corner), region };
  }

  pulled(event) {
    if (!this.picture?.width) return;
    this.pointer = this.at(event);
    if (this.drag?.kind === "box") {
      this.drag.box = boxBetween(this.drag.from, this.pointer, this.picture);
      this.draw();
    } else if (this.drag) {
      const { kind, from, region, corner } = this.drag;
      const [x, y] = this.pointer;
      this.change(kind === "move" ? moved(region, x - from[0], y - from[1], this.picture)
        : withCorner(region, corner, this.pointer, this.picture));
    } else if (this.begun.length) this.draw();
  }

  released() {
    const drag = this.drag;
    this.drag = null;
    if (drag?.kind === "box" && drag.box) this.add({ box: drag.box });
    this.draw();
  }

  isNear([x1, y1], [x2, y2]) {
    return Math.hypot(x1 - x2, y1 - y2) < 2 * HANDLE * this.scale;
  }

  closePolygon() {
    const polygon = this.begun.map(([x, y]) => [Math.round(x * 10) / 10, Math.round(y * 10) / 10]);
    this.begun = [];
    if (polygon.length > 2) this.add({ polygon });
    this.draw();
  }

  // ---- keyboard ----------------------------------------------------------------------------------------------------

  typed(event) {
    if (event.key === "Escape") {
      this.begun = [];
      this.drag = null;
      set({ tool: "select" });
    }
    if (event.key === "Enter" && this.begun.length) this.closePolygon();
    if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.undo();
    const id = event.target.closest?.(".region")?.dataset.id;
    const region = this.regionOf(id);
    if (!region) return;
    if (event.key === "Enter" || event.key === " ") this.select(id);
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(id);
    else if (event.key in STEP) {
      const [dx, dy] = STEP[event.key].map((step) => step * (event.shiftKey ? 10 : 1));
      this.selected = id;
      this.remember();
      this.change((event.altKey ? resized : moved)(region, dx, dy, this.picture));
    } else return;
    event.preventDefault();
  }

  // ---- regions -----------------------------------------------------------------------------------------------------

  regionOf(id) {
    return this.picture?.regions.find((region) => region.id === id);
  }

  select(id) {
    this.selected = id;
    changed();
  }

  add(shape) {
    set({ tool: "select" });
    if (!isLarge(shape, LEAST * this.scale)) return;
    const region = { id: newId(), name: newName(this.picture), ...shape };
    this.selected = region.id;
    this.remember();
    changeRegions(this.picture, [...this.picture.regions, region]);
    tell(`${region.name} added`);
    this.drawing.dispatchEvent(new CustomEvent("added", { bubbles: true, detail: region.id }));
  }

  remember() {
    this.before.push(this.picture.regions);
  }

  undo() {
    const regions = this.before.pop();
    if (regions) changeRegions(this.picture, regions);
  }

  change(region) {
    if (!isLarge(region, 1)) return; // a polygon pulled flat
    changeRegions(this.picture, this.picture.regions.map((other) => (other.id === region.id ? region : other)));
  }

  remove(id) {
    tell(`${this.regionOf(id).name} deleted. Ctrl and Z bring it back.`);
    this.remember();
    this.drawing.dispatchEvent(new CustomEvent("deleted", { bubbles: true }));
    changeRegions(this.picture, this.picture.regions.filter((region) => region.id !== id));
  }
}
