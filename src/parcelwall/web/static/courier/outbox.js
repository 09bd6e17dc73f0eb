// What waits for a signal. An entry is on the phone's disk before anybody is told that it is noted, it keeps its id
// however often it is sent, and leaves the list of what waits only when the hub has said what became of it.
const outbox = (() => {
  const AGAIN_MS = 30_000, LISTEN_MS = 5_000, MOST_BYTES = 900_000, MOST_ENTRIES = 20, SHOWN_MS = 48 * 3600_000, MOST_MS = 60_000;
  const STORES = { entries: "id", answers: "station", kept: "name" };
  let opened = null, sending = null, askedAgain = false, listening = false, heard = document.body.hasAttribute("data-saved") ? false : null;

  const open = () => opened ||= new Promise((yes, no) => {
    const asked = indexedDB.open("parcelwall-courier", 1);
    asked.onupgradeneeded = () => Object.entries(STORES).forEach(([name, keyPath]) => asked.result.createObjectStore(name, { keyPath }));
    asked.onsuccess = () => {
      asked.result.onclose = () => { opened = null; }; // by the browser, which clears its disk
      yes(asked.result);
    };
    asked.onerror = () => { opened = null; no(asked.error); };
  });

  async function act(store, mode, what) {
    const database = await open();
    return new Promise((yes, no) => {
      const turn = database.transaction(store, mode, { durability: "strict" });
      const asked = what(turn.objectStore(store));
      turn.oncomplete = () => yes(asked.result);
      turn.onabort = turn.onerror = () => no(turn.error);
    });
  }

  const put = (store, row) => act(store, "readwrite", (rows) => rows.put(row));
  const get = (store, key) => act(store, "readonly", (rows) => rows.get(key));
  const drop = (store, key) => act(store, "readwrite", (rows) => rows.delete(key));
  const all = (store) => act(store, "readonly", (rows) => rows.getAll());
  const me = () => document.querySelector("[data-courier]")?.dataset.courier ?? "";
  const changed = () => document.dispatchEvent(new CustomEvent("outbox"));

  async function mine() {
    const entries = (await all("entries")).filter((entry) => entry.courier === me());
    return entries.sort((a, b) => a.made_at.localeCompare(b.made_at) || a.id.localeCompare(b.id));
  }

  async function add(kind, body) {
    const entry = { id: crypto.randomUUID(), kind, courier: me(), made_at: new Date().toISOString(), tries: 0, state: "waiting", body };
    await put("entries", entry);
    changed();
    flush();
    return entry;
  }

  // One sending at a time in this page; another page that sends the same does no harm. Whoever asks meanwhile is served
  // afterwards: what is being sent may be failing for want of the signal that has just come back.
  function flush() {
    askedAgain = sending !== null;
    sending ||= (async () => {
      try {
        await sendAll();
        await listen();
        if (askedAgain) await sendAll(); // the signal was heard, or somebody asked while it was listened for
      } finally {
        sending = null;
        changed();
      }
    })();
    return sending;
  }

  async function sendAll() {
    do {
      askedAgain = false;
      while (await sendSome());
    } while (askedAgain);
  }

  async function sendSome() {
    const some = fitting((await mine()).filter((entry) => entry.state === "waiting"));
    if (!some.length || !me()) return false;
    const answers = await post("/courier/outbox", { entries: some.map(({ id, kind, body }) => ({ id, kind, ...body })) });
    if (!answers) {
      for (const entry of some) await put("entries", { ...entry, tries: entry.tries + 1 });
      return false;
    }
    for (const told of answers.answers) await learn(some.find((entry) => entry.id === told.id), told);
    return answers.answers.some((told) => told.state !== "later");
  }

  function fitting(entries) {
    let bytes = 0;
    return entries.slice(0, MOST_ENTRIES).filter((entry, at) => {
      bytes += JSON.stringify(entry.body).length;
      return at === 0 || bytes < MOST_BYTES;
    });
  }

  // The whole answer first, then the entry: a phone that dies in between sends once more and is answered the same.
  async function learn(entry, told) {
    if (!entry || told.state === "later") return;
    if (told.carried) await put("answers", { ...told.carried, courier: entry.courier, came_at: new Date().toISOString() });
    const body = { ...entry.body, photo: undefined, bundle: undefined };
    await put("entries", { ...entry, state: told.state, words: told.words, case: told.case, tries: entry.tries + 1, body: told.state === "done" ? body : entry.body });
  }

  // The hub's answer, or null when it was not to be had in time: there are bars that carry nothing, and lines on which
  // the largest sending takes 20 s. Whether there is a signal shows by this and by nothing else.
  async function post(url, body, most_ms = MOST_MS) {
    try {
      const said = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(most_ms) });
      heard = true;
      if (said.status === 401) location.assign("/courier/sign-in");
      return said.ok ? await said.json().catch(() => null) : null;
    } catch {
      heard = false;
      return null;
    } finally {
      changed();
    }
  }

  // Where nothing waits, nothing tells that the signal is back: then this page is asked for. A browser that was never
  // told that the signal is gone does not tell that it is back either, so whoever looks at the page hears it soon.
  async function listen() {
    if (heard !== false || listening || !navigator.onLine) return;
    listening = true;
    heard = await fetch(location.href, { redirect: "manual", signal: AbortSignal.timeout(MOST_MS) }).then(() => true, () => false);
    listening = false;
    if (heard) flush();
  }

  // A new note of its own: what was refused has done nothing, and is answered so for ever. The new one first, so that a
  // phone that dies in between has both.
  async function again(entry) {
    await put("entries", { ...entry, id: crypto.randomUUID(), state: "waiting", tries: 0, words: undefined });
    await drop("entries", entry.id);
    changed();
    flush();
  }

  async function seen(entry) {
    await put("entries", { ...entry, state: "seen" });
    changed();
  }

  async function forgetOld() {
    for (const entry of await all("entries")) {
      if (["done", "seen"].includes(entry.state) && Date.now() - Date.parse(entry.made_at) > SHOWN_MS) await drop("entries", entry.id);
    }
  }

  addEventListener("online", flush);
  addEventListener("offline", () => { heard = false; changed(); });
  addEventListener("focus", flush);
  setInterval(flush, AGAIN_MS);
  setInterval(() => sending || document.hidden || listen(), LISTEN_MS);
  return { add, again, all, drop, flush, forgetOld, get, me, mine, post, put, seen, online: () => navigator.onLine && heard !== false };
})();
