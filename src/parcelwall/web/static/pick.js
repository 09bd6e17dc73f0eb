// Many boxes: a filter by what stands beside each, and all that it shows chosen at once. Without a script all are there.
(() => {
  const FEW = 9; // boxes that are seen at a glance
  const shown = (pick) => [...pick.querySelectorAll(".checks .check")].filter((each) => !each.hidden);

  function sift(field) {
    const asked = field.value.trim().toLocaleLowerCase();
    for (const each of field.closest("[data-pick]").querySelectorAll(".checks .check")) {
      const box = each.querySelector("input"); // what is chosen stays in sight, so that nothing is sent unseen
      each.hidden = Boolean(asked) && !box.checked && !`${each.textContent} ${box.value}`.toLocaleLowerCase().includes(asked);
    }
  }

  document.addEventListener("input", (event) => { if (event.target.matches("[data-pick-filter]")) sift(event.target); });
  document.addEventListener("keydown", (event) => { // Enter in the filter sends no form
    if (event.key === "Enter" && event.target.matches("[data-pick-filter]")) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pick-all]");
    if (!button) return;
    const pick = button.closest("[data-pick]"), field = pick.querySelector("[data-pick-filter]");
    for (const each of shown(pick)) each.querySelector("input").checked = Boolean(button.dataset.pickAll);
    sift(field);
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const each of document.querySelectorAll(".pick-tools")) each.hidden = shown(each.closest("[data-pick]")).length < FEW;
  });
})();
