// A photo as it is sent: a JPEG that is small enough, drawn anew.
const shrunk = (() => {
  // What the browser can read: also what it reads in a picture of a page only, as Safari does HEIC.
  async function decoded(file) {
    try {
      return await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      const picture = new Image();
      picture.src = URL.createObjectURL(file);
      return picture.decode().then(() => picture).finally(() => URL.revokeObjectURL(picture.src));
    }
  }

  // One photo, small, upright, and without what the camera wrote beside it.
  return async (file) => {
    const LONGEST_PX = 1600, MOST_BYTES = 380_000, picture = await decoded(file);
    let scale = Math.min(1, LONGEST_PX / Math.max(picture.width, picture.height));
    for (let quality = 0.8; ; quality = Math.max(0.4, quality - 0.2), scale *= 0.8) {
      const canvas = Object.assign(document.createElement("canvas"), { width: picture.width * scale, height: picture.height * scale });
      const drawn = canvas.getContext("2d");
      drawn.fillStyle = "#FFF"; // a JPEG has no holes to see through
      drawn.fillRect(0, 0, canvas.width, canvas.height);
      drawn.drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((yes) => canvas.toBlob(yes, "image/jpeg", quality));
      if (blob.size <= MOST_BYTES) return blob;
    }
  };
})();
