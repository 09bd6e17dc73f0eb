// The keys for a label: letters and digits into a field that the courier sees and sends.
document.addEventListener("click", (event) => {
  const letter = event.target.closest?.("[data-letter]"), field = document.querySelector("[data-label]");
  if (!letter || !field) return;
  const key = letter.dataset.letter;
  field.value = key === "erase" ? field.value.slice(0, -1) : field.value + key;
});
