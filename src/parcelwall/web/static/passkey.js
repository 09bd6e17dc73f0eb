// Passkeys: a form with data-passkey="make" or "show" asks {action}/begin what the browser is to make, sends that (and
// the form's own fields) to {action}/finish and goes where it is told. The device checks who holds it; nothing of
// that comes here. Without passkeys in this browser, what says so is shown instead.
(() => {
  const can = window.PublicKeyCredential && navigator.credentials && window.isSecureContext;
  const parse = { make: "parseCreationOptionsFromJSON", show: "parseRequestOptionsFromJSON" };

  async function asked(url, body) {
    const answer = await fetch(url, { method: "POST", body, headers: { "Content-Type": "application/json" } });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(said.reason ?? "trouble"), { said });
    return said;
  }

  async function run(form, fields) {
    const kind = form.dataset.passkey;
    const options = PublicKeyCredential[parse[kind]](await asked(`${form.action}/begin`, JSON.stringify(fields)));
    const made = await (kind === "make"
      ? navigator.credentials.create({ publicKey: options })
      : navigator.credentials.get({ publicKey: options }));
    const done = await asked(`${form.action}/finish`, JSON.stringify({ ...made.toJSON(), fields }));
    if (done.to === location.pathname + location.search) location.reload();
    else location.assign(done.to);
  }

  const running = new WeakSet(); // news may enable a button again while the device still asks
  function tell(form, name) {
    for (const each of form.querySelectorAll("[data-said]")) each.hidden = each.dataset.said !== name;
    form.querySelector("[data-said][tabindex]:not([hidden])")?.focus(); // a page has one live region, and it is another
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset?.passkey) return;
    event.preventDefault();
    if (running.has(form)) return;
    if (!can || !(parse[form.dataset.passkey] in PublicKeyCredential)) return tell(form, "cannot");
    const buttons = form.querySelectorAll("button");
    running.add(form);
    const fields = Object.fromEntries(new FormData(form, event.submitter)); // before it is disabled
    for (const each of buttons) each.disabled = true;
    tell(form, "");
    await run(form, fields).catch((failed) => tell(form, failed.name === "NotAllowedError" ? "stopped" : "failed"));
    for (const each of buttons) each.disabled = false;
    running.delete(form);
  });
})();
