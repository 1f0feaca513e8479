// Beside the picture: where its attention is, what its regions get, and files to take along.

import { complain, h, icon, percent, share } from "./dom.js";
import { downloadsOf } from "./downloads.js";
import { nearTheMiddle } from "./regions.js";
import { resultOf, set, state } from "./state.js";

const MOST_FIXATIONS = 10;

export class Panel {
  constructor(stage) {
    this.stage = stage;
    this.rows = new Map(); // region id -> its row
    this.numbers = h("section", { className: "card" });
    this.list = h("ul", { className: "region-list" });
    this.n = h("input", { type: "range", min: 1, max: MOST_FIXATIONS, id: "n", oninput: () => set({ n: Number(this.n.value) }) });
    this.nText = h("output", { for: "n" });
    this.hint = h("p", { className: "hint" });
    this.add = h("button", { type: "button", className: "quiet", onclick: () => this.addInTheMiddle() }, icon("add"), "Add region");
    stage.element.addEventListener("deleted", () => this.add.focus());
    stage.element.addEventListener("added", ({ detail: id }) => // its row is there with the next drawing of the page
      requestAnimationFrame(() => requestAnimationFrame(() => this.rows.get(id)?.name.select())));
    this.downloads = h("div", { className: "downloads" });
    this.element = h("div", { className: "panel" }, this.numbers,
      h("section", { className: "card" },
        h("div", { className: "card-head" }, h("h2", {}, "Regions"),
          this.add),
        h("label", { className: "slider", for: "n" }, h("span", {}, "Seen within ", this.nText), this.n),
        this.hint, this.list,
        h("details", { className: "trust" }, h("summary", {}, "How far can I trust this?"),
          h("p", {}, "A share is the probability that a fixation lands in the region. Seen is the share of people who look at ",
            "it within so many fixations, as people did in published recordings; for four of five regions of this share ",
            "and size it lies in the range beside it. People make about three fixations a second. It is not the share: ",
            "the first fixations go to what stands out, and people come back to what they know. Regions below 0.2 % or above ",
            "30 % of the picture were not measured: they count as these."),
          h("p", {}, "The model learned from people who looked freely at photographs. It knows no task, and was not trained ",
            "on pages or designs. Measure it on your own recordings first, if you have some."))),
      h("section", { className: "card" }, h("h2", {}, "Download"), this.downloads));
  }

  show(picture) {
    const { answer, error, regions } = resultOf(picture);
    this.showNumbers(picture, answer, error);
    const { n } = state.settings;
    this.n.value = n;
    this.nText.textContent = n === 1 ? "1 fixation" : `${n} fixations`;
    this.n.setAttribute("aria-valuetext", this.nText.textContent);
    this.hint.textContent = error ?? "Draw a box or a polygon on the picture, or add one here, to see what it gets.";
    this.hint.hidden = picture.regions.length > 0 && !error;
    this.showRegions(picture, regions);
    if (this.downloadsFor !== picture) {
      this.downloadsFor = picture;
      this.downloads.replaceChildren(...downloadsOf(picture));
    }
  }

  showNumbers(picture, answer, error) {
    const head = h("h1", { title: picture.name }, picture.name);
    if (!answer) {
      this.numbers.replaceChildren(head, h("p", { className: "hint" }, error ?? "Predicting …"));
      return;
    }
    const { whole } = answer;
    const focus = whole.more_focused_than;
    this.numbers.replaceChildren(head, h("p", { className: "in-words" }, whole.in_words),
      h("dl", { className: "facts" },
        fact("Focus", focus === null ? `${whole.focus.toFixed(1)} bit` : percent(focus),
          focus === null ? "sharper than the same everywhere" : "of photographs are less focused"),
        fact("Hotspots", String(whole.hotspots), whole.hotspots === 1 ? "place that stands out" : "places that stand out"),
        fact("Center pull", percent(Math.abs(whole.center_pull)),
          `${whole.center_pull < 0 ? "farther from" : "nearer to"} the middle than at random`)));
  }

  showRegions(picture, numbers) {
    for (const [id, row] of this.rows) {
      if (!picture.regions.some((region) => region.id === id)) {
        row.element.remove();
        this.rows.delete(id);
      }
    }
    const most = Math.max(0.01, ...[...numbers.values()].map((region) => region.share));
    picture.regions.forEach((region) => {
      if (!this.rows.has(region.id)) {
        this.rows.set(region.id, new Row(this.stage, region));
        this.list.append(this.rows.get(region.id).element);
      }
      this.rows.get(region.id).show(picture, region, numbers.get(region.id), most);
    });
  }

  addInTheMiddle() {
    if (this.stage.picture?.width) this.stage.add({ box: nearTheMiddle(this.stage.picture) });
  }
}

const fact = (name, value, about) => h("div", {}, h("dt", {}, name), h("dd", {}, h("strong", {}, value), h("span", {}, about)));

class Row {
  constructor(stage, { id }) {
    this.stage = stage;
    this.id = id;
    this.name = h("input", { type: "text", className: "name", "aria-label": "Name of the region", maxLength: 200,
      onchange: () => this.rename(), onfocus: () => stage.select(id) });
    this.bar = h("span", { className: "bar-fill" });
    this.share = h("strong", { className: "share" });
    this.seen = h("span", { className: "seen" });
    this.rank = h("span", { className: "rank" });
    this.element = h("li", {},
      h("div", { className: "row-head" }, this.name, this.share,
        h("button", { type: "button", className: "quiet", title: "Delete", "aria-label": "Delete the region",
          onclick: () => stage.remove(id) }, icon("delete"))),
      h("div", { className: "bar-track", "aria-hidden": "true" }, this.bar),
      h("div", { className: "row-numbers" }, this.seen, this.rank));
  }

  show(picture, region, numbers, most) {
    this.picture = picture;
    if (document.activeElement !== this.name) this.name.value = region.name;
    this.element.classList.toggle("selected", this.stage.selected === this.id);
    if (!numbers) {
      this.share.textContent = this.seen.textContent = this.rank.textContent = "";
      this.bar.style.width = "0";
      return;
    }
    const seen = numbers.seen[state.settings.n];
    this.share.textContent = share(numbers.share);
    this.bar.style.width = percent(numbers.share / most, 1).replace(" ", "");
    this.seen.textContent = `Seen by ${percent(seen.probability)} of people (${percent(seen.low)} to ${percent(seen.high)})`;
    this.rank.textContent = `Rank ${numbers.rank} · ${numbers.per_area.toFixed(1)} × its area`;
  }

  rename() {
    const name = this.name.value.trim();
    const isFree = name && !this.picture.regions.some((region) => region.id !== this.id && region.name === name);
    const region = this.picture.regions.find((one) => one.id === this.id);
    if (isFree) this.stage.change({ ...region, name });
    else if (name !== region.name) {
      complain(name ? `There is a region called ${name} already.` : "A region needs a name.");
      this.name.value = region.name;
    }
  }
}
