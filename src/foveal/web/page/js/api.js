// What the server is asked. It keeps nothing: every request carries its picture.

const BUSY = 503;
const TRIES = 20;

export class Problem extends Error {}

async function ask(path, options) {
  for (let tries = 1; ; tries += 1) {
    let answer;
    try {
      answer = await fetch(`/api/${path}`, options);
    } catch {
      throw new Problem("The server does not answer. Is `foveal serve` still running?");
    }
    if (answer.ok) return answer;
    if (answer.status === BUSY && tries < TRIES) {
      const seconds = Number(answer.headers.get("Retry-After")) || 1;
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds * (0.5 + Math.random())));
      continue;
    }
    throw new Problem(await answer.json().then((told) => told.detail, () => `${answer.status} ${answer.statusText}`));
  }
}

function form(picture, parts) {
  const body = new FormData();
  body.append("picture", picture.blob, picture.name);
  for (const [name, value] of Object.entries(parts)) {
    if (value instanceof Blob) body.append(name, value, parts[`${name}_name`]);
    else if (value !== undefined && !name.endsWith("_name")) body.append(name, value);
  }
  return body;
}

export const asRegions = (regions) =>
  JSON.stringify(regions.map(({ name, box, polygon }) => (box ? { name, box } : { name, polygons: [polygon] })));

const post = (path, picture, parts) => ask(path, { method: "POST", body: form(picture, parts) });

export const models = () => ask("models").then((answer) => answer.json());
export const styles = () => ask("styles").then((answer) => answer.json());
export const reports = () => ask("reports").then((answer) => answer.json());
export const attention = (picture, model, regions) =>
  post("attention", picture, { model, regions: asRegions(regions) }).then((answer) => answer.json());
export const file = (path, picture, parts) => post(path, picture, parts).then((answer) => answer.blob());
export const fixations = (picture, model, n, seed) =>
  post("fixations", picture, { model, n, seed }).then((answer) => answer.json());

function against(a, b, modelA, modelB) {
  const parts = { model: modelA, model_b: modelB };
  return a === b ? parts : { ...parts, picture_b: b.blob, picture_b_name: b.name };
}
export function compare(a, b, modelA, modelB) {
  const inB = new Set(b.regions.map((region) => region.name));
  const inA = new Set(a.regions.map((region) => region.name));
  const regions = asRegions(a.regions.filter((region) => inB.has(region.name)));
  const regionsB = asRegions(b.regions.filter((region) => inA.has(region.name)));
  const parts = { ...against(a, b, modelA, modelB), regions, regions_b: regionsB };
  return post("compare", a, parts).then((answer) => answer.json());
}
export const difference = (a, b, modelA, modelB) =>
  post("difference", a, against(a, b, modelA, modelB)).then((answer) => answer.blob());
