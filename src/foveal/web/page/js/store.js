// What survives a reload: pictures with their regions, and settings, in the browser's own database.

const NAME = "foveal";
const VERSION = 1;

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("pictures", { keyPath: "id" });
      request.result.createObjectStore("settings");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

let database = null;

async function inStore(store, mode, act) {
  database ??= opened();
  const transaction = (await database).transaction(store, mode);
  const request = act(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

export const keptPictures = () => inStore("pictures", "readonly", (store) => store.getAll());
export const keepPicture = ({ id, name, blob, regions, order }) =>
  inStore("pictures", "readwrite", (store) => store.put({ id, name, blob, regions, order }));
export const forgetPicture = (id) => inStore("pictures", "readwrite", (store) => store.delete(id));
export const keptSettings = () => inStore("settings", "readonly", (store) => store.get("settings"));
export const keepSettings = (settings) => inStore("settings", "readwrite", (store) => store.put(settings, "settings"));
export async function forgetAll() {
  await inStore("pictures", "readwrite", (store) => store.clear());
  await inStore("settings", "readwrite", (store) => store.clear());
}
