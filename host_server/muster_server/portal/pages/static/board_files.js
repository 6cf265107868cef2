// Puts the firmware onto a board as `muster-unit deploy` does: what has changed goes to a folder of
// its own, is compared there, and takes its place in one go. The board finishes that by itself, so
// it never runs half of the files, whatever is unplugged. The code for the board comes with the
// firmware, from the same source.
"use strict";

const MESSAGE = 6144; // characters; a REPL compiles one as a whole
const PIECE = 4096; // bytes of a file, at a time
const DIGEST_BYTES = 12;

function inBase64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

async function digestOf(bytes) {
  const whole = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return inBase64(whole.subarray(0, DIGEST_BYTES));
}

// A file that is made here, in the form of those of the firmware.
async function madeFile(path, text) {
  const bytes = new TextEncoder().encode(text);
  const pieces = [];
  for (let at = 0; at < bytes.length; at += PIECE) pieces.push(inBase64(bytes.subarray(at, at + PIECE)));
  const digest = await digestOf(bytes);
  const staged = digest.replaceAll("/", "_") + (await digestOf(new TextEncoder().encode(path))).slice(0, 4).replaceAll("/", "_");
  return { path, digest, staged, bytes: bytes.length, pieces, isPlain: true };
}

function parsed(lines) {
  return new Map(lines.filter(Boolean).map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}

class BoardFiles {
  constructor(repl, kit, board) {
    this.repl = repl;
    this.kit = kit;
    this.board = kit.boards[board];
    this.files = new Map(kit.files.map((file) => [file.path, file]));
  }

  // Make the board's files those of the firmware; return how many were sent. `replaces`: somebody
  // has said that files of others may go. `progress` hears the bytes sent and the bytes to send.
  async bring(replaces, progress) {
    let seen = await this.look();
    if (seen.isExchanging) { // cut off in the middle: it goes on with what it has
      await this.exchange().catch(() => {});
      seen = await this.look();
    }
    this.check(seen);
    const changed = [...this.files.values()].filter((file) => seen.files.get(file.path) !== file.digest);
    const foreign = this.inTheWay(seen, changed);
    if (foreign.length && !replaces) throw new Trouble("foreign", foreign.join(", "));
    const strays = [...seen.files.keys()].filter(
      (path) => !this.files.has(path) && path !== this.kit.facts && seen.put.get(path) === seen.files.get(path));
    const gone = [...new Set([...strays, ...foreign.filter((path) => !this.files.has(path))])];
    if (!this.hasFacts(seen)) changed.push(await this.factsFile());
    if (!changed.length && !gone.length) return 0;
    // main.py stands in for all while they are exchanged: it comes always, and last.
    const coming = [...changed.filter((file) => file.path !== "/main.py"), this.files.get("/main.py")];
    await this.stage(coming, gone, progress);
    const said = await this.exchange();
    if (said.trim()) throw new Trouble("refused", said.trim().slice(0, 200));
    await this.compare([...this.files.keys()], (file) => file.path, this.files.values());
    return coming.length;
  }

  async look() {
    const said = (await this.repl.exec(this.kit.look)).trim().split("\n").pop();
    let told;
    try {
      told = JSON.parse(said);
    } catch {
      throw new Trouble("old_micropython");
    }
    const [platform, machine, mpy, , lines, facts, put, main] = told;
    const isSame = lines.length === 1 && lines[0] === "same";
    const whole = new Map([...this.files.values()].map((file) => [file.path, file.digest]));
    return {
      platform, machine, mpy, facts,
      files: isSame ? whole : parsed(lines),
      put: isSame ? whole : parsed(put.split("\n")),
      isExchanging: main === this.kit.mark,
    };
  }

  check(seen) {
    const chip = /ESP32-?([CHPS]\d)?/i.exec(seen.machine.split(" with ").pop());
    const mcu = chip ? "esp32" + (chip[1] || "").toLowerCase() : "";
    if (seen.platform !== "esp32" || mcu !== this.board.mcu) throw new Trouble("wrong_chip", seen.machine || seen.platform);
    if (seen.mpy !== this.kit.mpy) throw new Trouble("old_micropython");
  }

  // Files of somebody else that stand where ours belong, or would hide ours.
  inTheWay(seen, changed) {
    const wanted = new Set(changed.map((file) => file.path));
    return [...seen.files.keys()].filter((path) => {
      const is = seen.files.get(path);
      if (this.files.has(path)) {
        const isOurs = path === this.kit.list || is === seen.put.get(path) || seen.isExchanging || is === this.kit.replaced[path];
        return wanted.has(path) && !isOurs;
      }
      const hides = this.kit.hiding.some((other) => path === other || path.startsWith(other + "/"));
      return hides && seen.put.get(path) !== is;
    }).sort();
  }

  hasFacts(seen) {
    try {
      const there = Object.entries({ ...JSON.parse(seen.facts), built: 0 }).sort();
      return JSON.stringify(there) === JSON.stringify(Object.entries({ ...this.board.facts, built: 0 }).sort());
    } catch {
      return false;
    }
  }

  factsFile() {
    const facts = { ...this.board.facts, built: Math.floor(Date.now() / 1000) };
    return madeFile(this.kit.facts, JSON.stringify(facts));
  }

  async stage(coming, gone, progress) {
    const said = (await this.repl.exec(this.kit.staged)).trim().split("\n");
    const free = Number(said.pop());
    const there = new Set(said);
    const places = coming.map((file) => [file.staged, file.path]);
    const text = this.kit.exchange.replace("'FILES'", JSON.stringify(places)).replace("'GONE'", JSON.stringify(gone));
    const script = { ...(await madeFile("main", text)), staged: "main" };
    const sent = [...coming.filter((file) => !there.has(file.staged)), script];
    if (sent.reduce((sum, file) => sum + file.bytes, 0) > free) throw new Trouble("full");
    if (!(await this.repl.exec(this.kit.put)).endsWith("True\n")) throw new Trouble("old_micropython");
    await this.send(sent, progress);
    await this.compare([this.kit.stage], (file) => `${this.kit.stage}/${file.staged}`, [...coming, script]);
  }

  async send(files, progress) {
    const statements = files.flatMap((file) => file.pieces.map((piece, n) => {
      const size = Math.min(PIECE, file.bytes - n * PIECE);
      const path = JSON.stringify(`${this.kit.stage}/${file.staged}`);
      return [`put(${path},"${n ? "ab" : "wb"}",'${piece}',${file.isPlain ? 0 : 1})\n`, size];
    }));
    const total = statements.reduce((sum, [, size]) => sum + size, 0);
    let done = 0;
    while (statements.length) {
      let [text, size] = statements.shift();
      while (statements.length && text.length + statements[0][0].length <= MESSAGE) {
        const [next, more] = statements.shift();
        text += next;
        size += more;
      }
      await this.repl.exec(text);
      done += size;
      progress(done, total);
    }
  }

  // Have the board read its files, and compare their digests.
  async compare(roots, placeOf, files) {
    const said = await this.repl.exec(`print('\\n'.join(look(${JSON.stringify(roots)},b'')))`);
    const there = parsed(said.split("\n"));
    const wrong = [...files].filter((file) => there.get(placeOf(file)) !== file.digest);
    if (wrong.length) throw new Trouble("otherwise", wrong.map((file) => file.path).join(", ").slice(0, 200));
  }

  exchange() {
    const script = JSON.stringify(`${this.kit.stage}/main`);
    return this.repl.exec(
      `import os\ntry: os.rename(${script}, '/main.py')\nexcept OSError: pass\nexec(open('/main.py').read(), {'is_deploying': True})`);
  }
}
