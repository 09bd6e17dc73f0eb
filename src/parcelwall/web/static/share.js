// A link is handed on by the phone's own ways, else copied, else shown to be copied by hand.
(() => {
  document.documentElement.dataset.shares = "1"; // what only this script can do is shown from now on

  async function share(button) {
    const url = button.dataset.share || location.origin + location.pathname, text = button.dataset.text;
    if (navigator.share) return navigator.share({ text, url }).catch(() => 0);
    const copied = await navigator.clipboard?.writeText(url).then(() => true, () => false);
    if (copied) button.querySelector("[data-then]").textContent = button.dataset.copied;
    else prompt(text, url);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-share]");
    if (button) share(button);
  });
})();
