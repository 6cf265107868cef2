// The page on which a bare board becomes a device. Each step can be repeated.
"use strict";

(() => {
  const root = document.getElementById("prepare");
  if (!root) return;
  const FETCH_MS = 60000;
  const find = (id) => document.getElementById(id);
  const texts = Object.fromEntries([...find("texts").children].map((one) => [one.dataset.text, one.textContent]));
  const beginnings = [...root.querySelectorAll("[data-said]")].map((said) => [said, said.textContent]);
  const labels = new LabelList(texts);
  let port = null;
  let kit = null;
  let isBusy = false;
  let waiting = null; // for a person to say that this label may be replaced
  let unsure = null; // a label that a board may have by now

  function say(step, code, detail = "", kind = "") {
    const said = root.querySelector(`[data-said=${step}]`);
    said.className = `said ${kind ? "note " + kind : "faint"}`;
    said.textContent = (texts[code] || texts.unknown).replace("{detail}", () => detail);
  }

  function progress(step, done, total) {
    const bar = root.querySelector(`[data-progress=${step}]`);
    bar.hidden = done >= total;
    bar.max = total;
    bar.value = done;
  }

  async function fetched(address, options = {}) {
    let answer;
    try {
      answer = await fetch(address, { ...options, signal: AbortSignal.timeout(FETCH_MS), redirect: "manual" });
    } catch {
      throw new Trouble("offline");
    }
    if (answer.ok) return answer;
    throw new Trouble(answer.type === "opaqueredirect" || answer.status < 500 ? "session" : "offline");
  }

  async function firmware() {
    kit = kit || (await (await fetched(root.dataset.firmware)).json());
    return kit;
  }

  // Buttons keep the keyboard's focus meanwhile, so none is disabled altogether.
  function working(isBegin) {
    isBusy = isBegin;
    for (const button of root.querySelectorAll("button[data-step]")) button.setAttribute("aria-disabled", String(isBegin));
  }

  // One step at a time; what goes wrong is said in its card.
  async function step(name, work) {
    if (isBusy) return;
    working(true);
    try {
      if (!port && work !== choose) throw new Trouble("choose_first");
      await work();
    } catch (error) {
      const isGone = port && port.isGone;
      const code = isGone ? "unplugged" : error instanceof Trouble ? error.code : "unknown";
      say(name, code, error instanceof Trouble ? error.detail : String(error.message), "bad");
      find("replace-row").hidden = find("replace-row").hidden && code !== "foreign";
    } finally {
      root.querySelectorAll("progress").forEach((bar) => { bar.hidden = true; });
      working(false);
    }
  }

  async function withREPL(name, work) {
    say(name, "connecting");
    const line = await SerialLine.open(port);
    try {
      const repl = new RawREPL(line);
      await repl.enter();
      return await work(repl);
    } finally {
      await line.close();
    }
  }

  async function choose() {
    try {
      port = await navigator.serial.requestPort();
    } catch {
      throw new Trouble("no_port");
    }
    beginAnew();
    port.isGone = false;
    port.addEventListener("disconnect", () => { port.isGone = true; });
    port.addEventListener("connect", () => { port.isGone = false; });
    say("choose", "chosen", "", "good");
  }

  // It may be another board: what was said of the one before no longer counts.
  function beginAnew() {
    for (const [said, text] of beginnings) {
      said.className = "said faint";
      said.textContent = text;
    }
    labels.hide();
    waiting = null;
    find("give-label").textContent = texts.give_label;
  }

  async function image(board) {
    if (find("image-file").files.length) return new Uint8Array(await find("image-file").files[0].arrayBuffer());
    const address = board.selectedOptions[0].dataset.image;
    if (!address) throw new Trouble("which_image");
    return new Uint8Array(await (await fetched(address)).arrayBuffer());
  }

  async function writeImage() {
    say("flash", "loading");
    const board = find("board");
    const [known, bytes] = [await firmware(), await image(board)];
    say("flash", "writing");
    const addresses = { esptool: root.dataset.esptool, md5: root.dataset.md5 };
    await flash(port, bytes, known.boards[board.value], find("erase").checked, addresses, (done, total) => progress("flash", done, total));
    say("flash", "flashed", "", "good");
  }

  async function deploy() {
    const known = await firmware();
    let isSending = false;
    const sent = await withREPL("deploy", (repl) => {
      const files = new BoardFiles(repl, known, find("board").value);
      return files.bring(find("replace").checked, (done, total) => {
        if (!isSending) say("deploy", "sending");
        isSending = true;
        progress("deploy", done, total);
      });
    });
    find("replace").checked = false;
    find("replace-row").hidden = true;
    say("deploy", sent ? "deployed" : "nothing_to_send", String(sent), "good");
  }

  async function label() {
    await withREPL("label", async (repl) => {
      const former = await labelOf(repl);
      // Cut off while it was written: the board that has it gets the same one again.
      const isUnsure = former !== null && unsure && unsure.device_id === former;
      if (former !== null && !isUnsure && waiting !== former) {
        waiting = former;
        find("give-label").textContent = texts.relabel;
        throw new Trouble("labelled", former);
      }
      const form = new URLSearchParams({ form_token: root.dataset.token, device_id: former || "" });
      const one = isUnsure ? unsure : await (await fetched("/prepare/label", { method: "POST", body: form })).json();
      unsure = one;
      await writeLabel(repl, one);
      unsure = null;
      labels.add(one);
      await repl.restart().catch(() => {}); // a person can
      say("label", "done", one.device_id, "good");
    });
    waiting = null;
    find("give-label").textContent = texts.give_label;
  }

  const reason = !window.isSecureContext ? "insecure" : !("serial" in navigator) ? "unsupported" : "";
  if (reason) {
    find("cannot").textContent = texts[reason];
    return;
  }
  find("cannot").hidden = true;
  root.hidden = false;
  // The browser asks before the page goes.
  addEventListener("beforeunload", (event) => { if (isBusy || labels.isUnprinted) event.preventDefault(); });
  find("choose").addEventListener("click", () => step("choose", choose));
  find("write-image").addEventListener("click", () => step("flash", writeImage));
  find("send-firmware").addEventListener("click", () => step("deploy", deploy));
  find("give-label").addEventListener("click", () => step("label", label));
})();
