// The courier's pages without a signal: the newest that was seen is shown. Posts are never kept here; they are the
// outbox's. Filled in by the server: what to keep, and under which name.
const KEPT = "{name}", PAGES = {pages}, FILES = {files}, WAIT_MS = 4000;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(fill());
});

// A new version takes over when it has all that the one before had; until then that one stays, and browsers ask again.
async function fill() {
  const cache = await caches.open(KEPT), before = [];
  for (const name of await older()) for (const asked of await (await caches.open(name)).keys()) before.push(asked.url);
  const stops = before.filter((url) => !isFile(url));
  const came = await Promise.allSettled([...new Set([...PAGES.map(whole), ...stops, ...FILES])].map((url) => keep(cache, url)));
  if (before.length && came.some((each) => each.status === "rejected")) throw new Error("not all is there yet");
}

const whole = (url) => new URL(url, location.origin).href;
const older = async () => (await caches.keys()).filter((name) => name.startsWith("courier-") && name !== KEPT);

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await older()) await caches.delete(name);
    await self.clients.claim();
  })());
});

// Each page asks for what a weak signal or a signing in has left out; the round's page names those of its stops, too.
self.addEventListener("message", (event) => {
  if (event.data.keep) event.waitUntil(keepAll(event.data.keep));
});

async function keepAll(urls) {
  const cache = await caches.open(KEPT), here = await Promise.all([...PAGES, ...FILES].map((url) => cache.match(url, { ignoreVary: true })));
  const missing = [...PAGES, ...FILES].filter((_, at) => !here[at]);
  await Promise.allSettled([...missing, ...urls].map((url) => keep(cache, url)));
}

async function keep(cache, url) {
  const said = await fetch(url, { redirect: "manual" });
  if (isFile(url) && !isOfThisBuild(said)) throw new Error(url);
  if (said.ok) await cache.put(url, said);
}

// During an update another process may answer with its own build's file, which is kept by nobody.
const isFile = (url) => new URL(url, location.origin).pathname.startsWith("/static/");
const isOfThisBuild = (said) => said.ok && said.headers.get("Cache-Control") !== "no-store";

async function fromHub(request, cache) {
  const said = await fetch(request);
  const shows = said.ok && !said.redirected && said.headers.get("Content-Type")?.startsWith("text/html");
  return { said, stored: shows && cache.put(request.url, said.clone()).then(() => true, () => false) };
}

async function page(event) {
  const { request } = event;
  const cache = await caches.open(KEPT), kept = await cache.match(request, { ignoreVary: true }) ?? await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  if (newer.delete(request.url) && kept) return kept;
  const asked = fromHub(request, cache), answer = asked.then(({ said }) => said);
  if (!kept) return answer.catch(async () => asKept(await cache.match("/courier", { ignoreVary: true })));
  const late = new Promise((_, no) => setTimeout(no, WAIT_MS));
  return Promise.race([answer.then(healthy), late]).catch(() => {
    event.waitUntil(asked.then(({ stored }) => tell(event, stored)).catch(() => 0));
    return asKept(kept);
  });
}

// A hub that is broken, or a proxy before one that is gone, says less than what is kept.
function healthy(answer) {
  if (answer.status >= 500) throw new Error(answer.statusText);
  return answer;
}

// The page says of itself of when it is.
async function asKept(kept) {
  if (!kept) return Response.error();
  const headers = new Headers(kept.headers);
  headers.delete("Content-Encoding");
  return new Response((await kept.text()).replace("<body ", "<body data-saved "), { headers });
}

// What the hub says after all is shown at the next look, once, however slow the line is.
const newer = new Set();
async function tell(event, stored) {
  if (!await stored) return;
  newer.add(event.request.url);
  (await self.clients.get(event.resultingClientId))?.postMessage({ newer: true });
}

async function file(request) {
  const cache = await caches.open(KEPT), kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const said = await fetch(request);
  if (isOfThisBuild(said)) cache.put(request, said.clone());
  return said;
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(file(event.request));
  else if (event.request.mode === "navigate" && /^\/courier(\/(stop\/[^/]+|scan|carry|problem|outbox|day))?$/.test(url.pathname)) event.respondWith(page(event));
});
