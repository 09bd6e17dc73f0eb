// Reads codes with the phone's camera, and draws codes for the reader. Where the browser has no reader of its own, one
// of others is loaded with the first look, and kept.
const camera = (() => {
  const FORMATS = ["qr_code", "code_128", "code_39", "ean_13", "itf", "data_matrix"], LOOK_MS = 70;
  let reader = null, drawing = null;
  const files = () => document.querySelector("[data-courier]").dataset;

  async function made() {
    const own = await globalThis.BarcodeDetector?.getSupportedFormats?.() ?? [];
    if (["qr_code", "code_128"].every((format) => own.includes(format))) return new BarcodeDetector({ formats: FORMATS.filter((format) => own.includes(format)) });
    await new Promise((yes, no) => document.head.append(Object.assign(document.createElement("script"), { src: files().barcode, onload: yes, onerror: no })));
    BarcodeDetectionAPI.prepareZXingModule({ overrides: { locateFile: () => files().wasm } });
    return new BarcodeDetectionAPI.BarcodeDetector({ formats: FORMATS });
  }

  // Looks until `stop` is called, and tells each text that it sees; what `tell` fails of is `tell`'s to say. `ended` when
  // the phone takes the camera away, for a call or its lock. Fails where there is no camera, none is allowed, or nothing
  // is to be had that reads.
  async function look(video, tell, ended) {
    reader ||= await made();
    const seen = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 1280 } } });
    let looking = true;
    video.srcObject = seen;
    const [track] = seen.getVideoTracks();
    track.addEventListener("ended", ended);
    await video.play().catch((failed) => { track.stop(); throw failed; });
    (async () => {
      while (looking) {
        const found = await reader.detect(video).catch(() => []);
        for (const code of looking ? found : []) await tell(code.rawValue).catch(() => 0);
        await new Promise((yes) => setTimeout(yes, LOOK_MS));
      }
    })();
    return { stop: () => { looking = false; track.stop(); }, torch: track.getCapabilities?.().torch ? (on) => track.applyConstraints({ advanced: [{ torch: on }] }) : null };
  }

  // Black on white in every theme, four modules of quiet around.
  async function draw(canvas, text) {
    drawing ||= await import(files().qr);
    const code = drawing.encode(text, { ecc: "M", border: 4, boostEcc: false }), pen = canvas.getContext("2d");
    canvas.width = canvas.height = code.size;
    pen.fillStyle = "#FFFFFF";
    pen.fillRect(0, 0, code.size, code.size);
    pen.fillStyle = "#000000";
    code.data.forEach((row, y) => row.forEach((dark, x) => dark && pen.fillRect(x, y, 1, 1)));
  }

  const photo = async (file) => base64(new Uint8Array(await (await shrunk(file)).arrayBuffer()));

  return { draw, look, photo };
})();
