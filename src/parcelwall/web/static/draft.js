// What somebody types in a form with data-draft is there again when their sign-in has ended meanwhile, and after a
// refusal. This tab alone keeps it, no hub; only what was changed, no file, and no such form asks for a key or a code.
// It goes when it was taken, when its person signs out, when somebody else signs in, and when they go on elsewhere.
(() => {
  const KEY = "draft", UNSEEN = ["hidden", "password", "file", "submit", "button"];
  const who = () => document.querySelector("[data-person], [data-courier]")?.dataset;
  const person = () => who()?.person ?? who()?.courier ?? "";
  const signsIn = () => Boolean(document.querySelector("form[data-sign-in]"));
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  function read() {
    try { return JSON.parse(sessionStorage.getItem(KEY)); } catch { return null; }
  }

  function write(draft) {
    try {
      if (draft) sessionStorage.setItem(KEY, JSON.stringify(draft));
      else sessionStorage.removeItem(KEY);
    } catch { /* a browser that keeps nothing */ }
  }

  function here() {
    const query = new URLSearchParams(location.search);
    for (const told of ["said", "no"]) query.delete(told);
    return location.pathname + (String(query) ? `?${query}` : "");
  }

  const name = (form) => form.getAttribute("action") ?? "";
  const fields = (form) => [...form.elements].filter((field) => field.name && !UNSEEN.includes(field.type));
  function isChanged(field) {
    if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
    if (field.options) return [...field.options].some((each) => each.selected !== each.defaultSelected);
    return field.value !== field.defaultValue;
  }

  function keep(form) {
    if (!person()) return; // a browser tells of a change, too, when a page that was signed out takes the field away
    const draft = read(), now = fields(form).filter((field) => isChanged(field) && (field.type !== "radio" || field.checked));
    const forms = draft?.page === here() && draft.person === person() ? draft.forms : {};
    forms[name(form)] = now.map((field) => [field.name, field.type === "checkbox" ? field.checked : field.value]);
    write({ page: here(), person: person(), forms });
  }

  function put(field, value) {
    if (field.type === "checkbox") field.checked = value;
    else if (field.type === "radio") field.checked = field.value === value;
    else field.value = value;
    for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }

  function restore(draft) {
    for (const form of all("form[data-draft]")) {
      for (const [known, value] of draft.forms[name(form)] ?? []) {
        for (const field of fields(form).filter((each) => each.name === known)) put(field, value);
      }
    }
    const told = document.getElementById("draft-back");
    if (!told) return;
    told.hidden = !all("form[data-draft]").some((form) => fields(form).some(isChanged));
    if (!told.hidden) told.focus(); // and so it is read aloud: a page has one live region, and it is another
  }

  // A page without a person is the way to sign in, or says why nothing was done: from there one comes back.
  function begin() {
    const draft = read(), query = new URLSearchParams(location.search);
    if (!draft) return;
    if (!person()) return write({ ...draft, sent: false, due: signsIn() ? "away" : draft.due || "back" });
    if (draft.person !== person() || (draft.sent && query.has("said"))) return write(null);
    if (draft.due === "away" && draft.page !== here()) {
      write({ ...draft, due: "back" });
      return location.replace(draft.page);
    }
    if (draft.page !== here() || !(draft.due || query.has("no"))) return write(null);
    write({ ...draft, due: "back", sent: false });
    restore(draft);
  }

  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => { if (event.target.form?.matches("[data-draft]")) keep(event.target.form); });
  }
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[action$='/sign-out']")) write(null);
    else if (event.target.matches("[data-draft]") && read()) write({ ...read(), sent: true });
  });
  document.addEventListener("reset", (event) => { if (event.target.matches("[data-draft]")) write(null); });
  document.addEventListener("DOMContentLoaded", begin);
})();
