// A photo that is chosen in a form is made small before it is sent. What cannot be read goes as it is: the hub says no.
document.addEventListener("change", async ({ target }) => {
  const file = target.matches("[data-photo]") && target.files[0];
  if (!file) return;
  const sends = target.form.querySelector("button");
  sends.disabled = true;
  try {
    const small = new DataTransfer();
    small.items.add(new File([await shrunk(file)], "photo.jpg", { type: "image/jpeg" }));
    target.files = small.files;
  } catch { /* as it is */ } finally {
    sends.disabled = false;
  }
});
