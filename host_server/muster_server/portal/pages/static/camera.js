// Reads a label's QR code with the camera: by the browser itself, or by jsQR, which is loaded then.
"use strict";

(() => {
  const start = document.getElementById("scan");
  if (!start || !navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return;
  const viewer = document.getElementById("viewer");
  const video = viewer.querySelector("video");
  const said = document.getElementById("camera-said");
  const label = document.getElementById("label");
  let stream = null;
  start.hidden = false;

  function loaded(address) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }

  // A function that reads what the camera shows now: the text of a code, or nothing.
  async function reader() {
    if ("BarcodeDetector" in window) {
      const formats = await BarcodeDetector.getSupportedFormats();
      if (formats.includes("qr_code")) {
        const detector = new BarcodeDetector({ formats: ["qr_code"] });
        return async () => (await detector.detect(video)).map((code) => code.rawValue)[0];
      }
    }
    if (!window.jsQR) await loaded(start.dataset.fallback);
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    return async () => {
      const share = Math.min(1, 640 / Math.max(video.videoWidth, video.videoHeight, 1));
      canvas.width = video.videoWidth * share;
      canvas.height = video.videoHeight * share;
      if (!canvas.width || !canvas.height) return undefined;
      pen.drawImage(video, 0, 0, canvas.width, canvas.height);
      const found = jsQR(pen.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height);
      return found ? found.data : undefined;
    };
  }

  function stop() {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    viewer.hidden = true;
    start.textContent = start.dataset.start;
  }

  async function look() {
    const read = await reader();
    while (stream) {
      const text = await read();
      if (text && /MUSTER:1:/i.test(text)) {
        label.value = text.slice(text.search(/MUSTER:1:/i));
        said.textContent = said.dataset.found;
        stop();
        document.getElementById("name").focus();
        return;
      }
      if (text) said.textContent = said.dataset.other;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }

  start.addEventListener("click", async () => {
    if (stream) { stop(); return; }
    said.textContent = "";
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
      video.srcObject = stream;
      viewer.hidden = false;
      start.textContent = start.dataset.stop;
      await video.play();
      await look();
    } catch (error) {
      stop();
      said.textContent = said.dataset.none;
    }
  });
})();
