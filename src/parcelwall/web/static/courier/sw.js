// The courier's pages without a signal: the newest that was seen is shown. Posts are never kept here; they are the
// outbox's. Filled in by the server: what to keep, and under which name.
const KEPT = "{name}", PAGES = {pages}, FILES = {files}, WAIT_MS = 4000;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(KEPT).then((cache) => Promise.allSettled([...PAGES, ...FILES].map((url) => keep(cache, url)))));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("courier-") && name !== KEPT) await caches.delete(name);
    await self.clients.claim();
  })());
});

// The round's page names the pages of its stops, so that they are there where there is no signal.
self.addEventListener("message", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => Promise.allSettled((event.data.keep ?? []).map((url) => keep(cache, url)))));
});

async function keep(cache, url) {
  const said = await fetch(url, { redirect: "manual" });
  if (said.ok) await cache.put(url, said);
}

async function fromHub(request, cache) {
  const said = await fetch(request);
  if (said.ok && !said.redirected && said.headers.get("Content-Type")?.startsWith("text/html")) cache.put(request.url, said.clone());
  return said;
}

async function page(request) {
  const cache = await caches.open(KEPT), kept = await cache.match(request, { ignoreVary: true }) ?? await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  const asked = fromHub(request, cache);
  if (!kept) return asked.catch(async () => await cache.match("/courier", { ignoreVary: true }) ?? Response.error());
  const late = new Promise((yes) => setTimeout(yes, WAIT_MS, kept));
  return Promise.race([asked, late]).catch(() => kept);
}

async function file(request) {
  const cache = await caches.open(KEPT), kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const said = await fetch(request);
  if (said.ok) cache.put(request, said.clone());
  return said;
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(file(event.request));
  else if (event.request.mode === "navigate" && /^\/courier(\/(stop\/[^/]+|scan|carry|problem|outbox|day))?$/.test(url.pathname)) event.respondWith(page(event.request));
});
