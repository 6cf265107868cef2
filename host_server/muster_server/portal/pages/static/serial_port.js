// A board's serial port as Web Serial gives it: read, written and closed within deadlines.
"use strict";

// What stood in the way: `code` finds the words for people, `detail` stands in them.
class Trouble extends Error {
  constructor(code, detail = "") {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}

function after(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// The promise's result, or a Trouble once the time is over.
async function within(promise, ms, code) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Trouble(code)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// RTS alone pulls EN low on boards with Espressif's reset circuit.
async function pulseReset(port) {
  await port.setSignals({ dataTerminalReady: false, requestToSend: true });
  await after(100);
  await port.setSignals({ dataTerminalReady: false, requestToSend: false });
}

const BAUD = 115200; // of MicroPython's console
const OPEN_MS = 5000;
const WRITE_MS = 10000;
const CLOSE_MS = 3000;
const MOST_HEARD = 1 << 18; // characters that nobody has asked for yet; older ones go

class SerialLine {
  static async open(port) {
    try {
      await within(port.open({ baudRate: BAUD, bufferSize: 1 << 14 }), OPEN_MS, "busy");
    } catch {
      throw new Trouble("busy");
    }
    return new SerialLine(port);
  }

  constructor(port) {
    this.port = port;
    this.heard = ""; // a character for each byte
    this.isClosing = this.isLost = false;
    this.listener = () => {};
    this.reading = this.read();
  }

  async read() {
    // A byte that was lost ends one stream, and another begins; without a port there is none.
    while (this.port.readable && !this.isClosing) {
      this.reader = this.port.readable.getReader();
      try {
        for (;;) {
          const { value, done } = await this.reader.read();
          if (done) break;
          this.take(value);
        }
      } catch {
        await after(1);
      } finally {
        this.reader.releaseLock();
      }
    }
    this.isLost = true;
    this.listener();
  }

  take(bytes) {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    this.heard = (this.heard + text).slice(-MOST_HEARD);
    this.listener();
  }

  async write(text) {
    if (this.isLost || !this.port.writable) throw new Trouble("unplugged");
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const writer = this.port.writable.getWriter();
    try {
      await within(writer.write(bytes), WRITE_MS, "silent");
    } catch (error) {
      throw error instanceof Trouble ? error : new Trouble("unplugged");
    } finally {
      writer.releaseLock();
    }
  }

  // Wait until something is heard, or the time is over; tell which.
  async hears(ms) {
    if (this.isLost) throw new Trouble("unplugged");
    let timer;
    const isHeard = await new Promise((resolve) => {
      this.listener = () => resolve(true);
      timer = setTimeout(() => resolve(false), ms);
    });
    clearTimeout(timer);
    this.listener = () => {};
    if (this.isLost) throw new Trouble("unplugged");
    return isHeard;
  }

  // What is heard up to this ending, without it; null if `silence` ms pass without a word, or
  // `most` in all.
  async until(ending, silence, most = silence) {
    const end = Date.now() + most;
    for (;;) {
      const at = this.heard.indexOf(ending);
      if (at >= 0) {
        const found = this.heard.slice(0, at);
        this.heard = this.heard.slice(at + ending.length);
        return found;
      }
      const left = Math.min(silence, end - Date.now());
      if (left <= 0 || !(await this.hears(left))) return null;
    }
  }

  async count(number, silence) {
    while (this.heard.length < number) {
      if (!(await this.hears(silence))) throw new Trouble("silent");
    }
    const found = this.heard.slice(0, number);
    this.heard = this.heard.slice(number);
    return found;
  }

  // Forget what comes until there is a pause; a board may chatter on for a second at most.
  async settle(pause) {
    const end = Date.now() + 1000;
    while (Date.now() < end && (await this.hears(pause)));
    this.heard = "";
  }

  async close() {
    this.isClosing = true;
    try {
      await within(this.reader.cancel(), CLOSE_MS, "busy");
      await within(this.reading, CLOSE_MS, "busy");
    } catch {
      // It has gone.
    }
    try {
      await within(this.port.close(), CLOSE_MS, "busy");
    } catch {
      // It has gone.
    }
  }
}
