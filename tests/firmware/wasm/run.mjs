// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Muster authors
// Runs Python on the 32-bit MicroPython: node run.mjs <node_modules> <project> <statement>...
// The project's firmware and tests are copied into the interpreter's own file system.

import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, project, ...statements] = process.argv.slice(2);
const port = join(resolve(modules), "@micropython/micropython-webassembly-pyscript/micropython.mjs");
const { loadMicroPython } = await import(pathToFileURL(port));

const python = await loadMicroPython({
  heapsize: 16 * 1024 * 1024,
  linebuffer: true,
  stdout: (line) => console.log(line),
});

function copy(folder) {
  python.FS.mkdirTree("/" + folder);
  for (const entry of readdirSync(join(project, folder), { withFileTypes: true })) {
    const path = folder + "/" + entry.name;
    if (entry.isDirectory()) copy(path);
    else if (/\.(py|json)$/.test(entry.name))
      python.FS.writeFile("/" + path, readFileSync(join(project, path)));
  }
}
["firmware", "tests/wire", "tests/firmware/on_board", "tests/bench"].forEach(copy);

try {
  python.runPython(`
import sys
sys.path[:0] = ["/firmware", "/tests/firmware/on_board", "/tests/bench"]
import missing
`);
  for (const statement of statements) python.runPython(statement);
} catch (error) {
  console.log(error.message);
  process.exitCode = 1;
}
