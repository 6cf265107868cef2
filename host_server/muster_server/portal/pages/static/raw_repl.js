// Runs code on a board through MicroPython's raw REPL, with the flow control of its raw paste mode
// (MicroPython documentation, "The MicroPython Interactive Interpreter Mode").
"use strict";

const BANNER = "raw REPL; CTRL-B to exit\r\n";
const ENTER_MS = 10000;
const RESET_AFTER_MS = 3000;
const ANSWER_MS = 10000; // of silence
const LONGEST_MS = 90000; // of one exec
const STORM = 40; // Ctrl-C again and again: the one that comes between boot and main.py counts

class RawREPL {
  constructor(line) {
    this.line = line;
  }

  // Stop the board's program and begin a fresh interpreter, without main.py.
  async enter() {
    const begin = Date.now();
    let mayReset = true;
    await this.line.write("\r\x03");
    await this.line.settle(50);
    while (!(await this.asks())) {
      const waited = Date.now() - begin;
      if (waited > ENTER_MS) throw new Trouble("silent");
      if (mayReset && waited > RESET_AFTER_MS) {
        mayReset = false;
        await pulseReset(this.line.port).catch(() => {}); // not every port has the lines
      }
      await this.storm();
    }
    await this.line.settle(100); // several Ctrl-A may have been read, each with its banner
    await this.line.write("\x04");
    if ((await this.line.until("soft reboot\r\n", ANSWER_MS)) === null) throw new Trouble("silent");
    if ((await this.line.until(BANNER, ANSWER_MS)) === null) throw new Trouble("silent");
  }

  async asks() {
    await this.line.write("\r\x01");
    return (await this.line.until(BANNER, 700)) !== null;
  }

  async storm() {
    for (let n = 0; n < STORM; n++) {
      await this.line.write("\x03");
      if ((await this.line.until(">>> ", 10)) !== null) return;
    }
  }

  // Run statements and return what they print. Trouble "refused" has the exception's last line.
  async exec(code) {
    await this.prompt();
    await this.line.write("\x05A\x01");
    if ((await this.line.count(2, ANSWER_MS)) !== "R\x01") throw new Trouble("old_micropython");
    await this.paste(new TextEncoder().encode(code));
    const output = await this.line.until("\x04", ANSWER_MS, LONGEST_MS);
    const error = output === null ? null : await this.line.until("\x04", ANSWER_MS);
    if (error === null) throw new Trouble("silent");
    if (error) throw refusal(error);
    return output.replace(/\r\n/g, "\n");
  }

  async prompt() {
    if ((await this.line.until(">", ANSWER_MS)) === null) throw new Trouble("silent");
  }

  async paste(bytes) {
    const window = await this.line.count(2, ANSWER_MS);
    const size = window.charCodeAt(0) + 256 * window.charCodeAt(1);
    let room = size;
    for (let at = 0; at < bytes.length; ) {
      while (room === 0 || this.line.heard) {
        const sign = await this.line.count(1, ANSWER_MS);
        if (sign === "\x01") room += size;
        else throw new Trouble("silent"); // it takes no more: it was reset, or is out of memory
      }
      const part = bytes.subarray(at, at + Math.min(room, 4096));
      await this.line.write(String.fromCharCode(...part));
      room -= part.length;
      at += part.length;
    }
    await this.line.write("\x04");
    if ((await this.line.until("\x04", ANSWER_MS)) === null) throw new Trouble("silent");
  }

  // Let the board begin anew, with its program.
  async restart() {
    await this.prompt();
    await this.line.write("import machine\nmachine.reset()\n\x04");
    await this.line.until("OK", 1000);
  }
}

function refusal(error) {
  const last = error.trim().split("\n").pop().trim();
  return new Trouble(/ENOSPC|OSError:.*\b28\b/.test(last) ? "full" : "refused", last.slice(0, 200));
}
