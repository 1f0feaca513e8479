// Elements by one call: h("button", { onclick }, "text"). Properties are set as such, those with a dash as attributes.

const SVG = "http://www.w3.org/2000/svg";
const PICTURED = new Set(["svg", "use", "g", "rect", "polygon", "polyline", "circle", "text", "path"]);

export function h(tag, properties = {}, ...children) {
  const drawn = PICTURED.has(tag);
  const element = drawn ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "style") Object.assign(element.style, value);
    else if (name.startsWith("on")) element[name] = value;
    else if (drawn || name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const icon = (name) => h("svg", { class: "icon", "aria-hidden": "true" }, h("use", { href: `/page/icons.svg#${name}` }));

export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;

// A share as a person reads it: 12 %, 3.4 %, 0.2 %.
export const share = (value) => percent(value, value < 0.0995 && value > 0 ? 1 : 0);

export function tell(text) {
  document.getElementById("status").textContent = text;
}

// One line that something went wrong; it goes by itself, or by a press of its button.
export function complain(text) {
  for (const said of document.querySelectorAll(".message span")) if (said.textContent === text) return;
  const line = h("div", { className: "message" }, h("span", {}, text),
    h("button", { type: "button", className: "quiet", "aria-label": "Close this message", onclick: () => line.remove() }, icon("delete")));
  document.getElementById("messages").append(line);
  setTimeout(() => line.remove(), 12000);
}

export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

// A text that a spreadsheet takes for a formula is kept a text.
function cell(value) {
  const text = typeof value === "string" && /^[=+\-@\t]/.test(value) ? `'${value}` : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function saveCsv(rows, name) {
  const text = rows.map((row) => row.map(cell).join(",")).join("\n");
  save(new Blob([`${text}\n`], { type: "text/csv" }), name);
}
