// Regions as shapes: a box [x, y, width, height] or a polygon [[x, y], …], in px from the picture's upper left corner.

const SMALLEST = 2; // px of a side

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const rounded = (value) => Math.round(value * 10) / 10;

export function cornersOf({ box, polygon }) {
  if (polygon) return polygon;
  const [x, y, width, height] = box;
  return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
}

export function boundsOf(region) {
  const corners = cornersOf(region);
  const xs = corners.map(([x]) => x);
  const ys = corners.map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

export function boxBetween([x1, y1], [x2, y2], picture) {
  const [left, right] = [x1, x2].map((x) => clamp(x, 0, picture.width)).sort((a, b) => a - b);
  const [top, bottom] = [y1, y2].map((y) => clamp(y, 0, picture.height)).sort((a, b) => a - b);
  const [width, height] = [Math.max(SMALLEST, right - left), Math.max(SMALLEST, bottom - top)];
  return [Math.min(left, picture.width - width), Math.min(top, picture.height - height), width, height].map(rounded);
}

// Has it so many px in both directions, and corners that are not all on one line?
export const isLarge = (region, least) => {
  const { width, height } = boundsOf(region);
  const [[x0, y0], ...others] = cornersOf(region);
  const [x1, y1] = others.find(([x, y]) => x !== x0 || y !== y0) ?? [x0, y0];
  const isFlat = others.every(([x, y]) => Math.abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) < 1);
  return width >= least && height >= least && !isFlat;
};

export function moved(region, dx, dy, picture) {
  const { left, top, width, height } = boundsOf(region);
  const across = rounded(clamp(dx, -left, picture.width - width - left));
  const down = rounded(clamp(dy, -top, picture.height - height - top));
  if (region.box) {
    const [x, y, ...size] = region.box;
    return { ...region, box: [x + across, y + down, ...size].map(rounded) };
  }
  return { ...region, polygon: region.polygon.map(([x, y]) => [rounded(x + across), rounded(y + down)]) };
}

export function withCorner(region, number, point, picture) {
  if (region.box) {
    const opposite = cornersOf(region)[(number + 2) % 4];
    return { ...region, box: boxBetween(opposite, point, picture) };
  }
  const at = [rounded(clamp(point[0], 0, picture.width)), rounded(clamp(point[1], 0, picture.height))];
  return { ...region, polygon: region.polygon.map((corner, i) => (i === number ? at : corner)) };
}

// The lower right corner of a box, moved by the keyboard.
export function resized(region, dx, dy, picture) {
  if (!region.box) return region;
  const [x, y, width, height] = region.box;
  const corner = [x + Math.max(SMALLEST, width + dx), y + Math.max(SMALLEST, height + dy)];
  return { ...region, box: boxBetween([x, y], corner, picture) };
}

// Near the middle, each a little farther, so that none hides another.
export function nearTheMiddle(picture) {
  const { width, height, regions } = picture;
  const farther = 0.03 * (regions.length % 8);
  return [width * (0.3 + farther), height * (0.3 + farther), width / 4, height / 4].map(rounded);
}
