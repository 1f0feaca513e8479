// The state of the page, and what changes it. Views ask to be told of changes.

import * as api from "./api.js";
import * as store from "./store.js";
import { complain, tell } from "./dom.js";

const LARGEST_FILE = 31 * 2 ** 20; // bytes; the server takes 32 MB a request
const SAVED_AFTER = 250; // ms
const AT_ONCE = 2; // pictures that are predicted at the same time

export const state = {
  pictures: [], // { id, name, blob, url, order, regions, width, height }
  models: [],
  styles: [],
  settings: {
    tab: "picture", model: "", style: "heatmap", opacity: 1, n: 3, tool: "select", simulate: false, seed: 0,
    compare: { kind: "pictures", a: null, b: null, modelB: "" }, current: null, // ids of pictures
  },
};

// A page that is not on this machine, and has no certificate, has no randomUUID.
export const newId = () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");

const listeners = new Set();
let isTelling = false;

export const onChange = (listener) => listeners.add(listener);

export function changed() {
  if (isTelling) return;
  isTelling = true;
  requestAnimationFrame(() => {
    isTelling = false;
    for (const listener of listeners) listener();
  });
}

export function set(settings) {
  Object.assign(state.settings, settings);
  kept(store.keepSettings(structuredClone(state.settings)));
  changed();
}

// A browser may have no room, or no storage at all in a private window: the page works all the same.
let hasComplained = false;
function kept(promise) {
  promise.catch(() => {
    if (!hasComplained) complain("This browser keeps nothing: your pictures are gone when you leave this page.");
    hasComplained = true;
  });
}

export const current = () => state.pictures.find((picture) => picture.id === state.settings.current) ?? state.pictures[0];
export const pictureOf = (id) => state.pictures.find((picture) => picture.id === id);

// ---- numbers and drawings, by picture and model -------------------------------------------------------------------

// picture id | model -> the answer, the regions that it was asked for, those that failed, and drawings by style
const found = new Map();

export function resultOf(picture, model = state.settings.model) {
  const key = `${picture.id}|${model}`;
  if (!found.has(key)) found.set(key, { answer: null, asked: null, error: null, regions: new Map(), overlays: new Map() });
  return found.get(key);
}

// Ask for the numbers of a picture's regions; while regions are moved, the last position wins.
export async function measure(picture, model = state.settings.model) {
  const result = resultOf(picture, model);
  const wanted = api.asRegions(picture.regions);
  if (result.answer && result.asked === wanted) return result.answer;
  if (result.failed === wanted) return null; // it was said; to ask again would fail again
  result.next = wanted;
  result.running ??= (async () => {
    try {
      while (result.asked !== result.next || !result.answer) {
        const asked = result.next;
        const ids = picture.regions.map((region) => region.id);
        const answer = await api.attention(picture, model, picture.regions);
        const regions = new Map(ids.map((id, place) => [id, answer.regions[place]]));
        Object.assign(result, { answer, asked, regions, error: null });
        Object.assign(picture, { width: answer.width, height: answer.height });
        result.next = api.asRegions(picture.regions);
        changed();
        if (!picture.isShown) showable(picture).catch(() => {});
      }
      return result.answer;
    } catch (error) {
      Object.assign(result, { error: error.message, failed: result.next });
      changed();
      throw error;
    } finally {
      result.running = null;
    }
  })();
  return result.running;
}

export async function overlayOf(picture, style, model = state.settings.model) {
  const { overlays } = resultOf(picture, model);
  if (!overlays.has(style)) {
    const asked = api.file("overlay", picture, { model, style, legend: false }).then((blob) => URL.createObjectURL(blob));
    asked.catch(() => overlays.delete(style));
    overlays.set(style, asked);
  }
  return overlays.get(style);
}

// ---- pictures ------------------------------------------------------------------------------------------------------

export async function addFiles(files) {
  const begun = [...files];
  const first = begun[0];
  const next = async () => {
    for (let file = begun.shift(); file; file = begun.shift()) await addPicture(file, file.name, [], file === first);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

export async function addPicture(blob, name, regions = [], isShown = true) {
  if (/\.html?$/i.test(name)) {
    complain(`${name}: a page is photographed first. \`foveal attention ${name}\` does it, with its elements as regions.`);
    return null;
  }
  if (blob.size > LARGEST_FILE) {
    complain(`${name} is larger than ${LARGEST_FILE / 2 ** 20} MB. Make the picture smaller.`);
    return null;
  }
  const order = 1 + Math.max(0, ...state.pictures.map((picture) => picture.order));
  const picture = { id: newId(), name, blob, regions, order };
  picture.url = URL.createObjectURL(blob);
  state.pictures.push(picture);
  if (isShown) set({ current: picture.id, tab: state.settings.tab === "table" ? "table" : "picture" });
  tell(`Predicting ${name}`);
  keep(picture);
  try {
    const [answer] = await Promise.all([measure(picture), overlayOf(picture, state.settings.style)]);
    tell(`${name}: ${answer.whole.in_words}`);
  } catch (error) {
    if (!state.pictures.includes(picture)) return null;
    removePicture(picture);
    complain(`${name}: ${error.message.replace(/^picture: /, "")}`);
    return null;
  }
  changed();
  return picture;
}

// A picture that the browser does not know (TIFF, say), or turns in another way, is shown as the server reads it.
async function showable(picture) {
  picture.isShown = true;
  const image = new Image();
  image.src = picture.url;
  const isKnown = await image.decode().then(() => true, () => false);
  if (isKnown && image.naturalWidth === picture.width && image.naturalHeight === picture.height) return;
  picture.url = await overlayOf(picture, "picture");
  changed();
}

export function removePicture(picture) {
  state.pictures = state.pictures.filter((other) => other !== picture);
  letGo(picture);
  if (state.settings.current === picture.id) set({ current: state.pictures.at(-1)?.id ?? null });
  kept(store.forgetPicture(picture.id));
  changed();
}

const otherTabs = new BroadcastChannel("foveal"); // what is forgotten in one is not kept by another
otherTabs.onmessage = () => location.reload();

export async function forgetAll() {
  if (!confirm("Forget all pictures and their regions? They cannot be brought back.")) return;
  const pictures = state.pictures;
  state.pictures = [];
  pictures.forEach(letGo);
  try {
    await store.forgetAll();
    otherTabs.postMessage("forgotten");
  } catch {
    complain("The browser could not delete what it stores. Clear this page's data in its settings.");
  }
  set({ current: null, tab: "picture" });
}

// What the page holds of a picture in memory.
function letGo(picture) {
  clearTimeout(saving.get(picture));
  URL.revokeObjectURL(picture.url);
  for (const [key, { overlays }] of found) {
    if (!key.startsWith(`${picture.id}|`)) continue;
    for (const url of overlays.values()) url.then((known) => URL.revokeObjectURL(known), () => {});
    found.delete(key);
  }
}

const saving = new Map(); // what is moved is kept when it rests

function keep(picture) {
  if (state.pictures.includes(picture)) kept(store.keepPicture(picture));
}

export function changeRegions(picture, regions) {
  picture.regions = regions;
  clearTimeout(saving.get(picture));
  saving.set(picture, setTimeout(() => keep(picture), SAVED_AFTER));
  measure(picture).catch((error) => complain(error.message));
  changed();
}

export function newName(picture) {
  const taken = new Set(picture.regions.map((region) => region.name));
  let number = picture.regions.length + 1;
  while (taken.has(`Region ${number}`)) number += 1;
  return `Region ${number}`;
}

// ---- the beginning -------------------------------------------------------------------------------------------------

export async function begin() {
  [state.models, state.styles] = await Promise.all([api.models(), api.styles()]);
  const [settings, pictures] = await Promise.all([store.keptSettings(), store.keptPictures()]).catch(() => [null, []]);
  Object.assign(state.settings, settings ?? {});
  if (!state.models.some((model) => model.name === state.settings.model)) {
    state.settings.model = (state.models.find((model) => model.is_default) ?? state.models[0]).name;
  }
  state.pictures = pictures.sort((a, b) => a.order - b.order);
  for (const picture of state.pictures) {
    picture.url = URL.createObjectURL(picture.blob);
  }
  changed();
}
