// The recipient's pages as an app: the worker that keeps them, and what cannot be done without a network.
(() => {
  const tell = async (what) => (await navigator.serviceWorker?.ready)?.active.postMessage(what);
  const ours = () => [location.pathname, ...[...document.querySelectorAll("a[data-keep]")].map((each) => each.pathname)];
  const $ = (selector) => [...document.querySelectorAll(selector)];

  function offline(is) {
    const badge = document.getElementById("saved");
    if (badge) badge.hidden = !is;
    if (is) kept = "";
    document.body.toggleAttribute("data-saved", is);
    for (const each of $("form button, form input")) each.disabled = is;
  }

  let soon = 0, leaving = false, kept = "";
  function keepSoon() { // what a stream has changed is to be what is kept; what it has not, is
    const words = document.querySelector("main")?.textContent;
    if (words === kept || leaving) return;
    kept = words;
    clearTimeout(soon);
    soon = setTimeout(() => ours().forEach((path) => tell({ keep: path })), 800);
  }

  document.addEventListener("click", (event) => { // in the same touch, or a phone shows no keys for the field
    const fold = event.target.closest("summary")?.parentElement, field = fold?.querySelector("#number");
    if (!field || fold.open) return;
    event.preventDefault();
    fold.open = true;
    field.focus();
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-leave]") || form.dataset.leave === "now") return;
    event.preventDefault();
    leaving = true;
    clearTimeout(soon);
    navigator.serviceWorker?.controller?.postMessage({ forget: true }); // also what it is just fetching
    for (const name of (await window.caches?.keys()) ?? []) if (name.startsWith("pages-")) await caches.delete(name);
    form.dataset.leave = "now";
    form.submit();
  });
  let opening = false; // the station may take a quarter of a minute: it is asked once, and the button says so
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("[data-wait]");
    if (!button) return;
    if (opening) return event.preventDefault();
    opening = true;
    button.textContent = button.dataset.wait;
  });
  addEventListener("pageshow", () => { opening = false; });
  document.addEventListener("input", (event) => { // the third digit off the station's screen sends it
    const field = event.target;
    if (field.id === "number" && field.maxLength === 3 && /^\p{Nd}{3}$/u.test(field.value)) field.form.requestSubmit();
  });
  document.addEventListener("htmx:sse:after:message", () => { offline(false); keepSoon(); });
  addEventListener("offline", () => offline(true));
  addEventListener("online", () => { // what somebody has unfolded or typed stays: the stream brings the rest, now
    const stream = document.getElementById("live")?._htmx?.sse;
    const busy = $("details[open]").length || $("form input:not([type=hidden])").some((each) => each.value !== each.defaultValue);
    if (!stream || !busy) return location.reload();
    for (const each of $("form button, form input")) each.disabled = false;
    if (stream.delayCanceller) stream.delayCanceller();
    else stream.reader?.cancel();
  });
  document.addEventListener("DOMContentLoaded", () => offline(document.body.hasAttribute("data-saved")));
  addEventListener("load", async () => {
    if (!navigator.serviceWorker || !isSecureContext) return;
    await navigator.serviceWorker.register("/sw.js").catch(() => 0);
    if (!document.body.hasAttribute("data-saved")) keepSoon();
  });
})();
