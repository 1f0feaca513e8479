// The elements of a page that a person can see and name, with their boxes in px of the window, parts outside cut off.
// Those that an earlier call has seen from top to bottom are not listed again: the last screen of a page repeats them.
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
    const short = String(text ?? "").replace(/\s+/g, " ").trim();
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
  // A block of text is as wide as its column; what is looked at are its words.
  const OF_WORDS = new Set(["heading", "link", "text"]);
  const boxOf = (element, kind) => {
    const box = element.getBoundingClientRect();
    if (!OF_WORDS.has(kind)) return box;
    const contents = document.createRange();
    contents.selectNodeContents(element);
    const inside = contents.getBoundingClientRect();
    return inside.width && inside.height ? inside : box;
  };
  // The part of an element that is not cut off by what it lies in; is it cut off above or below the window?
  const seenPart = (element, kind) => {
    const box = boxOf(element, kind);
    let [left, top, right, bottom] = [box.left, box.top, box.right, box.bottom];
    let inside = element;
    while (inside && inside !== document.documentElement) {
      if (inside !== document.body && getComputedStyle(inside).overflow !== "visible") {
        const around = inside.getBoundingClientRect();
        left = Math.max(left, around.left);
        top = Math.max(top, around.top);
        right = Math.min(right, around.right);
        bottom = Math.min(bottom, around.bottom);
      }
      inside = inside.parentElement;
    }
    const isWhole = top >= 0 && bottom <= window.innerHeight;
    left = Math.max(left, 0);
    top = Math.max(top, 0);
    right = Math.min(right, window.innerWidth);
    bottom = Math.min(bottom, window.innerHeight);
    return { x: left, y: top, width: right - left, height: bottom - top, isWhole };
  };
  // Is it on top anywhere? Looked for at three by three points.
  const isOnTop = (element, { x, y, width, height }) =>
    [0.1, 0.5, 0.9].some((down) =>
      [0.1, 0.5, 0.9].some((across) => {
        const top = document.elementFromPoint(x + across * width, y + down * height);
        return top !== null && (element.contains(top) || top.contains(element));
      }),
    );
  const isClear = (element) => {
    for (let one = element; one; one = one.parentElement) if (getComputedStyle(one).opacity === "0") return true;
    return false;
  };
  const seenBefore = (window.seenByFoveal ??= new WeakSet());
  const taken = new Set();
  const boxes = new Set();
  const found = [];
  for (const [kind, selector] of KINDS) {
    for (const element of document.querySelectorAll(selector)) {
      if (taken.has(element) || element.closest("svg") !== null && element.tagName !== "svg") continue;
      taken.add(element);
      const style = getComputedStyle(element);
      if (style.visibility !== "visible" || isClear(element)) continue;
      const box = seenPart(element, kind);
      if (seenBefore.has(element) || box.width < 1 || box.height < 1 || !isOnTop(element, box)) continue;
      if (box.isWhole) seenBefore.add(element);
      const { x, y, width, height } = box;
      const name = named(element, kind);
      const key = [name, Math.round(x), Math.round(y), Math.round(width), Math.round(height)].join("|");
      if (boxes.has(key)) continue; // a link around a button, say
      boxes.add(key);
      found.push({ name, kind, x, y, width, height });
    }
  }
  return found.sort((a, b) => a.y - b.y || a.x - b.x);
}
