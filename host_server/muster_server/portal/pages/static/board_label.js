// Gives a board its label's identity, and has the board compare what arrived. The secret travels in
// the raw REPL, which does not echo.
"use strict";

const READ = "import json\nfrom muster import hardware, identity\nwho = identity.read(hardware.open_nvs('muster'))\n";

// The id of the label that the board has; null without one.
async function labelOf(repl) {
  try {
    const said = await repl.exec(READ + "print(json.dumps(who and who.device_id))");
    return JSON.parse(said.trim().split("\n").pop());
  } catch (error) {
    if (/^ImportError/.test(error.detail)) throw new Trouble("no_firmware");
    throw error;
  }
}

async function writeLabel(repl, made) {
  const id = JSON.stringify(made.device_id);
  try {
    await repl.exec(`import binascii\nimport muster.identity\nmuster.identity.write(${id}, binascii.unhexlify("${made.secret}"))`);
    const said = await repl.exec(`import binascii, hashlib\n${READ}print(who.device_id == ${id} and hashlib.sha256(who.secret).digest() == binascii.unhexlify("${made.secret_sha256}"))`);
    if (!said.endsWith("True\n")) throw new Trouble("otherwise", made.device_id);
  } catch (error) {
    // What the board says of it might show the secret.
    throw error.code === "refused" ? new Trouble("not_labelled") : error;
  }
}
