// The elements of a page that a person can see and name, with their boxes in px of the window, parts outside cut off.
() => {
  const KINDS = [
    ["button", "button, [role=button], input[type=submit], input[type=button], input[type=reset]"],
    ["field", "input:not([type=hidden]), select, textarea"],
    ["heading", "h1, h2, h3, h4, h5, h6"],
    ["link", "a[href]"],
    ["image", "img, svg, picture, video, canvas"],
    ["text", "p, li, blockquote, figcaption, dt, dd, td, th, label"],
  ];
  const LONGEST = 40;
  const words = (text) => {
    const short = (text || "").replace(/\s+/g, " ").trim();
    return short.length > LONGEST ? short.slice(0, LONGEST - 1).trim() + "…" : short;
  };
  const named = (element, kind) =>
    words(element.getAttribute("aria-label")) ||
    words(element.innerText) ||
    words(element.getAttribute("alt")) ||
    words(element.getAttribute("title")) ||
    (kind === "field" && element.labels && element.labels.length ? words(element.labels[0].innerText) : "") ||
    words(element.getAttribute("placeholder")) ||
    (kind === "button" ? words(element.value) : "") ||
    kind;
  const taken = new Set();
  const boxes = new Set();
  const found = [];
  for (const [kind, selector] of KINDS) {
    for (const element of document.querySelectorAll(selector)) {
      if (taken.has(element) || element.closest("svg") !== null && element.tagName !== "svg") continue;
      taken.add(element);
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const box = element.getBoundingClientRect();
      const x = Math.max(0, box.left);
      const y = Math.max(0, box.top);
      const width = Math.min(window.innerWidth, box.right) - x;
      const height = Math.min(window.innerHeight, box.bottom) - y;
      if (width < 1 || height < 1) continue;
      const name = named(element, kind);
      const key = [name, Math.round(x), Math.round(y), Math.round(width), Math.round(height)].join("|");
      if (boxes.has(key)) continue; // a link around a button, say
      boxes.add(key);
      found.push({ name, kind, x, y, width, height });
    }
  }
  return found.sort((a, b) => a.y - b.y || a.x - b.x);
}
