// The map's slider: says its hour while it moves, and asks for that hour's page once it rests. Without it: the button.
(() => {
  const REST_MS = 600, HOUR_MS = 3600000;
  let resting;

  function words({ dataset, value }) {
    if (value === "0") return dataset.now;
    const shown = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: dataset.zone };
    const at = new Date((Number(dataset.from) + Number(value)) * HOUR_MS);
    return new Intl.DateTimeFormat(`${document.documentElement.lang}-u-nu-latn`, shown).format(at);
  }

  document.addEventListener("input", ({ target }) => {
    if (target.id !== "hours") return;
    clearTimeout(resting);
    const said = words(target);
    target.setAttribute("aria-valuetext", said);
    document.getElementById("hour-said").textContent = said;
  });
  document.addEventListener("change", ({ target }) => {
    if (target.id !== "hours") return;
    clearTimeout(resting);
    resting = setTimeout(() => target.form.requestSubmit(), REST_MS); // a key that is held moves on
  });
})();
