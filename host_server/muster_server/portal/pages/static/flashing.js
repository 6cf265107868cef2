// Writes MicroPython to a chip by esptool-js, which is loaded then, and says in our words what that
// met. Its speed stays that of the console: to change it, the port would be opened anew, and some
// boards begin anew with that.
"use strict";

const MAGIC = 0xe9; // of an image: esptool documentation, "Firmware Image Format"
const MOST_IMAGE_BYTES = 16 * 1024 * 1024;
const FLASH_MS = 15 * 60000;
const LOAD_MS = 30000;
const QUIET = { clean() {}, write() {}, writeLine() {} };

// What esptool-js says, and what it means here.
const MEANINGS = [
  [/Failed to open|already open/, "busy"],
  [/MD5 of file does not match/i, "worn"],
  [/fit in the available flash/i, "no_image"],
  [/connect|serial data|serial noise|sync|Unexpected (chip|CHIP)/, "no_loader"],
];

async function tools(addresses) {
  try {
    const both = Promise.all([import(addresses.esptool), import(addresses.md5)]);
    const [esptool, { md5 }] = await within(both, LOAD_MS, "offline");
    return { ...esptool, md5 };
  } catch {
    throw new Trouble("offline");
  }
}

function checkImage(image) {
  if (image[0] !== MAGIC || image.length > MOST_IMAGE_BYTES) throw new Trouble("no_image");
}

// Write the image where this board starts, verify it, and reset the board. `erase` empties the
// whole flash first. `progress` hears the bytes written and the bytes to write.
async function flash(port, image, board, erase, addresses, progress) {
  checkImage(image);
  const { ESPLoader, Transport, md5 } = await tools(addresses);
  const transport = new Transport(port, false);
  transport.trace = () => {}; // it writes to the console unasked
  const loader = new ESPLoader({ transport, baudrate: BAUD, romBaudrate: BAUD, terminal: QUIET });
  try {
    await within(write(loader, md5, image, board, erase, progress), FLASH_MS, "no_loader");
    await pulseReset(port);
  } catch (error) {
    throw meaning(error);
  } finally {
    await within(transport.disconnect(), CLOSE_MS, "unplugged").catch(() => {});
  }
}

async function write(loader, md5, image, board, erase, progress) {
  await loader.main();
  const chip = loader.chip.CHIP_NAME;
  if (chip.toLowerCase().replaceAll("-", "") !== board.mcu) throw new Trouble("wrong_chip", chip);
  await loader.writeFlash({
    fileArray: [{ data: image, address: board.offset }],
    flashMode: "keep", flashFreq: "keep", flashSize: "keep",
    eraseAll: erase, compress: true,
    reportProgress: (_, done, total) => progress(done, total),
    calculateMD5Hash: md5,
  });
}

function meaning(error) {
  if (error instanceof Trouble) return error;
  const said = String(error && error.message || error);
  const found = MEANINGS.find(([pattern]) => pattern.test(said));
  return found ? new Trouble(found[1]) : new Trouble("refused", said.slice(0, 200));
}
