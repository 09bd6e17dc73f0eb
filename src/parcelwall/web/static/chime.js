// A sound when more needs somebody than a moment ago: off until somebody wants it in this browser, short and soft.
// A browser lets a page sound only after somebody has touched it: until then the page says so.
(() => {
  const KEY = "chime", APART_MS = 5000, NOTES_HZ = [660, 880], NOTE_S = 0.16, LOUD = 0.12;
  let sounds = null, known = null, soundedAt = 0;

  function isOn() {
    try { return localStorage.getItem(KEY) === "on"; } catch { return false; }
  }

  function draw() {
    const button = document.getElementById("chime"), waits = document.getElementById("chime-waits");
    if (!button) return;
    button.hidden = !window.AudioContext;
    for (const each of button.querySelectorAll("[data-chime]")) each.hidden = (each.dataset.chime === "on") !== isOn();
    waits.hidden = !isOn() || sounds?.state === "running";
  }

  async function ready() {
    if (!isOn() || !window.AudioContext) return;
    sounds ??= new AudioContext();
    if (sounds.state !== "running") await Promise.race([sounds.resume(), new Promise((over) => setTimeout(over, 500))]);
    draw();
  }

  function sound() {
    if (!isOn() || sounds?.state !== "running" || Date.now() - soundedAt < APART_MS) return;
    soundedAt = Date.now();
    NOTES_HZ.forEach((hz, place) => {
      const at = sounds.currentTime + place * NOTE_S, tone = sounds.createOscillator(), loud = sounds.createGain();
      tone.frequency.value = hz;
      loud.gain.setValueAtTime(0, at);
      loud.gain.linearRampToValueAtTime(LOUD, at + 0.02);
      loud.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S * 2);
      tone.connect(loud).connect(sounds.destination);
      tone.start(at);
      tone.stop(at + NOTE_S * 2);
    });
    document.dispatchEvent(new Event("chime"));
  }

  function count() {
    const needs = document.querySelector("[data-needs]")?.dataset.needs;
    if (needs === undefined) return;
    if (known !== null && Number(needs) > known) sound();
    known = Number(needs);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#chime")) {
      try { localStorage.setItem(KEY, isOn() ? "off" : "on"); } catch { /* a browser that keeps nothing stays silent */ }
      draw();
      ready().then(sound); // so that one hears what it is
    } else if (sounds?.state !== "running") ready();
  });
  document.addEventListener("htmx:sse:after:message", count);
  document.addEventListener("DOMContentLoaded", () => { count(); draw(); ready(); });
})();
