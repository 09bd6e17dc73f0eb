// Pages that were opened once are there without a network, too. A page is fetched first, always; what is kept is shown
// when that fails, and says of when it is. A page says itself whether it may be kept, and whose it is: those of another
// account go before the first of a new one is kept.
const BUILD = "{build}", SHELL = "{shell}";
const OURS = /^\/(p\/[\w-]+|f\/[\w-]+|me)$/, PATIENCE_MS = 6000;
let forgets = 0;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(`files-${BUILD}`).then((files) => Promise.all(SHELL.map((url) => keepFile(files, url)))));
});

// During an update another process may answer, with its own build's file: this worker comes when all of its own are had.
async function keepFile(files, url) {
  const said = await fetch(url);
  if (!said.ok || said.headers.get("Cache-Control") === "no-store") throw new Error(url);
  await files.put(url, said);
}

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const files = (await caches.keys()).filter((name) => name.startsWith("files-") && name !== `files-${BUILD}`);
    await Promise.all(files.slice(0, -1).map((name) => caches.delete(name))); // kept pages name the last build's files
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(file(event.request));
  else if (event.request.mode === "navigate" && OURS.test(url.pathname)) event.respondWith(page(event));
});

self.addEventListener("message", (event) => {
  const { keep, forget } = event.data;
  if (forget) {
    forgets += 1;
    event.waitUntil(forgetAll());
  } else if (keep && OURS.test(keep)) event.waitUntil(storeLater(keep, fetch(keep, { headers: { "X-Parcelwall-By-Itself": "1" } })));
});

async function file(request) {
  return (await caches.match(request)) ?? fetch(request);
}

async function page(event) {
  const name = new URL(event.request.url).pathname;
  const fetched = fetch(event.request);
  event.waitUntil(storeLater(name, fetched));
  const saved = await caches.match(name);
  if (!saved) return fetched;
  const late = new Promise((_, no) => setTimeout(no, PATIENCE_MS));
  return Promise.race([fetched.then(healthy), late]).catch(() => asSaved(saved));
}

// A hub that is broken, or a proxy before one that is gone, says less than what is kept.
function healthy(answer) {
  if (answer.status >= 500) throw new Error(answer.statusText);
  return answer;
}

// What was asked for before somebody signed out is not kept after it.
function storeLater(name, fetched) {
  const before = forgets;
  return fetched.then((answer) => store(name, answer.clone())).then(() => before === forgets || forgetAll()).catch(() => 0);
}

async function store(name, answer) {
  const owner = answer.headers.get("X-Parcelwall-Keep");
  if (!owner || answer.redirected) return;
  const pages = (await caches.keys()).filter((each) => each.startsWith("pages-"));
  const others = pages.filter((each) => each !== "pages-link" && each !== `pages-${owner}`);
  const tells = name === "/me" || (owner !== "no" && owner !== "link"); // whose browser this is, be it nobody's
  if (tells && others.length) await forgetAll();
  else for (const each of pages) await (await caches.open(each)).delete(name);
  if (answer.ok && owner !== "no") await (await caches.open(`pages-${owner}`)).put(name, answer);
}

async function asSaved(saved) {
  const headers = new Headers(saved.headers);
  headers.delete("Content-Encoding");
  const text = (await saved.text()).replace("<body ", "<body data-saved ").replace('id="saved" hidden', 'id="saved"');
  return new Response(text, { headers });
}

async function forgetAll() {
  for (const each of await caches.keys()) if (each.startsWith("pages-")) await caches.delete(each);
}
