// Codes shown in a loop: each <img data-loop="/road/name/" data-count="7"> shows one after the other, four a second.
(() => {
  const EACH_MS = 250;
  let turn = 0;
  setInterval(() => {
    for (const image of document.querySelectorAll("img[data-loop]")) {
      if (image.complete) image.src = `${image.dataset.loop}${turn % Number(image.dataset.count)}`;
    }
    turn += 1;
  }, EACH_MS);
})();
