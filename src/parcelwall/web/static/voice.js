// The sounds of a kiosk's screen, and the voice that reads it. What is said stands on the screen: no text is here.
// The voice is started by the marked key (*), by headphones that are plugged in, or on the look screen; any touch ends
// what is being said, and the marked key says it again. While it speaks, nothing ticks. Where it speaks, what can be
// chosen is numbered and said after the screen's own words, and the digits of a keypad that is felt choose; on a screen
// where digits are a code, the marked key goes before them.
(() => {
  const NOTES = {
    good: [[660, 0, 0.12], [880, 0.14, 0.18]], refused: [[220, 0, 0.3]], nag: [[520, 0, 0.2], [520, 0.3, 0.2]],
    tick: [[1400, 0, 0.015]], key: [[900, 0, 0.02]],
  };
  const TICK_MS = 1000, NAG_EVERY = 10, TOUCH_MS = 5000, WORDS = ".ktitle, .ktitle2, .kdoor .quiet, .kline, .kplace, .note span, .kstep-now";
  const CHOICES = ".kiosk button:not([disabled], [data-key], [data-letter])", AT_A_TIME = 9, SETTLES_MS = 700;
  const VOLUMES = { 1: 0.125, 2: 0.35, 3: 1 }; // 9 dB each
  let first = 0, starred = false, shownAt = 0, headphones = false;
  let audio = null, said = "", turns = 0, touchedAt = 0, outputs = null;
  const kiosk = () => document.querySelector(".kiosk");
  const voice = () => window.speechSynthesis;
  const base = () => document.body.dataset.beat.replace(/\/beat$/, "");
  const speaks = () => kiosk()?.dataset.speech === "1" && Boolean(voice()?.getVoices().length);

  function play(cue) {
    if (!NOTES[cue] || kiosk()?.dataset.sound === "0" || voice()?.speaking) return;
    audio ||= new AudioContext();
    for (const [pitch, at, lasts] of NOTES[cue]) {
      const tone = audio.createOscillator(), loud = audio.createGain(), from = audio.currentTime + at;
      tone.frequency.value = pitch;
      loud.gain.setValueAtTime(0.2, from);
      loud.gain.exponentialRampToValueAtTime(0.001, from + lasts);
      tone.connect(loud).connect(audio.destination);
      tone.start(from);
      tone.stop(from + lasts);
      tone.onended = () => { tone.disconnect(); loud.disconnect(); };
    }
  }

  function words() {
    const found = [...document.querySelectorAll(`main :is(${WORDS})`)].map((each) => each.textContent.trim());
    return [...new Set(found.filter(Boolean))].map((each) => (/[.?:\u061F]$/.test(each) ? each : `${each}.`)).join(" ");
  }

  const hasPad = () => Boolean(document.querySelector("[data-pad]"));
  const choices = () => [...document.querySelectorAll(CHOICES)].filter((each) => each.getClientRects().length);
  // Its words, in full; what is written in a drawing on it (a sheet of A4) is not its name.
  const name = (button) => {
    const long = button.querySelector(".klong");
    return (long ? [long] : [...button.querySelectorAll("span")]).map((each) => each.textContent.trim()).join(" ").trim();
  };

  function numbered() {
    const all = choices(), { choice, choiceStar, choiceMore } = kiosk().dataset, form = hasPad() ? choiceStar : choice;
    const say = (at, called) => form.replace("{n}", at).replace("{words}", called);
    const now = all.slice(first, first + AT_A_TIME).map((each, at) => say(at + 1, name(each)));
    return (all.length > AT_A_TIME ? [...now, say(0, choiceMore)] : now).join(" ");
  }

  // A digit that chooses is no digit of a code. What is pressed as the screen changes was meant for the one before.
  function chooses(event) {
    const begins = starred;
    starred = event.key === "*";
    if (!/^[0-9]$/.test(event.key) || !speaks() || asks() || (hasPad() && !begins)) return false;
    if (Date.now() - shownAt < SETTLES_MS) return true;
    const all = choices();
    if (event.key !== "0") all[first + Number(event.key) - 1]?.click();
    else if (all.length > AT_A_TIME) {
      first = first + AT_A_TIME < all.length ? first + AT_A_TIME : 0;
      starred = begins;
      say(numbered());
    }
    return true;
  }

  // How many digits are in; which, only in headphones that were plugged in here.
  function count(key) {
    const which = headphones && /^[0-9]$/.test(key) ? `${key}. ` : "";
    if (speaks()) setTimeout(() => say(which + (document.querySelector("[data-count]")?.textContent ?? "")), 0);
  }

  function speak() { say(`${words()} ${kiosk()?.dataset.choice ? numbered() : ""}`); }

  function say(text) {
    voice()?.cancel();
    if (!speaks() || !text.trim()) return;
    const sentence = new SpeechSynthesisUtterance(text.trim()), language = kiosk().lang;
    sentence.lang = language;
    sentence.volume = VOLUMES[kiosk().dataset.volume] ?? 1;
    sentence.voice = voice().getVoices().find((each) => each.lang.toLowerCase().startsWith(language.slice(0, 2))) ?? null;
    voice().speak(sentence);
  }

  // A screen is heard once. What only counts down on it is not said again.
  function heard() {
    const main = document.querySelector("main"), at = kiosk();
    if (!main || !at) return;
    at.classList.toggle("has-voices", Boolean(voice()?.getVoices().length));
    const now = `${main.dataset.screen} ${at.dataset.screen} ${at.lang} ${at.dataset.speech}`;
    if (now === said) return;
    const cue = said.split(" ")[0] !== main.dataset.screen || at.dataset.cue === "refused";
    if (said.split(" ")[1] !== at.dataset.screen) { shownAt = Date.now(); starred = false; }
    said = now;
    first = 0;
    if (cue) play(at.dataset.cue);
    speak();
  }

  function post(path, fields) {
    fetch(base() + path, { method: "POST", body: new URLSearchParams(fields) }).catch(() => {});
  }

  function touched(event) {
    voice()?.cancel();
    const key = event.target.closest?.("[data-key]");
    if (key) { play("key"); count(key.dataset.key); }
    if (asks()) { if (event.type === "keydown") touch("touch"); return; }
    // A sleeping screen wakes wherever it is touched, and by any key; its buttons do what is written on them.
    const wakes = document.getElementById("screen-asleep") && !event.target.closest?.("button");
    if (!wakes && Date.now() - touchedAt < TOUCH_MS) return;
    touch(wakes ? "wake" : "touch");
  }

  function touch(name) {
    touchedAt = Date.now();
    post("/act", { screen: kiosk()?.dataset.screen ?? "", name });
  }

  document.addEventListener("half-typed", () => touch("half-typed"));

  // "Still there?" is answered by any key and any touch: by the click, so that no other screen is under the finger yet.
  const asks = () => Boolean(document.getElementById("screen-more-time"));
  document.addEventListener("click", (event) => { if (asks() && !event.target.closest?.("button")) touch("touch"); });

  async function plugged() {
    const all = await navigator.mediaDevices.enumerateDevices();
    const now = all.filter((each) => each.kind === "audiooutput").length;
    if (outputs !== null && now !== outputs) {
      headphones = now > outputs;
      post("/look", { speech: headphones ? "1" : "0" });
    }
    outputs = now;
  }

  document.addEventListener("pointerdown", touched);
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.target.matches?.("input, textarea")) return;
    touched(event);
    if (chooses(event)) event.stopImmediatePropagation();
    else if (/^[0-9]$|^Backspace$/.test(event.key) && hasPad()) count(event.key);
    if (event.key !== "*") return;
    if (kiosk()?.dataset.speech === "1") speak();
    else post("/look", { speech: "1" });
  }, true); // before the pad hears of it
  document.addEventListener("htmx:sse:after:message", heard);
  voice()?.addEventListener?.("voiceschanged", () => { said = ""; heard(); });
  navigator.mediaDevices?.addEventListener?.("devicechange", () => { plugged().catch(() => {}); });
  if (navigator.mediaDevices) plugged().catch(() => {});
  setInterval(() => {
    const cue = kiosk()?.dataset.cue;
    if (cue === "tick" || (cue === "nag" && ++turns % NAG_EVERY === 0)) play(cue);
  }, TICK_MS);
  heard();
})();
