# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Puts firmware onto a board through mpremote, and a label's identity through the raw REPL."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.compiler import compile_mpy
from harness.errors import BoardError, DeployError, RemoteError
from harness.facts import Wired, read_facts
from harness.repl import REPL

_MPREMOTE_S = 120
_AT_ROOT = ("boot.py", "main.py")
_DIGESTS = """\
import hashlib, binascii
def digest(path):
    h = hashlib.sha256()
    b = bytearray(512)
    m = memoryview(b)
    with open(path, "rb") as f:
        while True:
            n = f.readinto(b)
            if not n:
                return binascii.hexlify(h.digest()).decode()
            h.update(m[:n])
"""


def deploy(
    port: str,
    source_dir: str | Path,
    form: str = "mpy",
    build: dict[str, Any] | None = None,
) -> None:
    """Copy the firmware in `source_dir` to the board on `port` and verify every file there.

    boot.py and main.py go to the root, packages to /lib, compiled unless `form` is "py". `build`
    names the board file ("board") and may set "model", "built" and "onboarding"; from both comes
    /muster.json. The board is left at its REPL; reset it to run the firmware.
    Raises DeployError with mpremote's words, or naming the file that arrived wrong.
    """
    with tempfile.TemporaryDirectory(prefix="muster-deploy-") as made:
        tree = Path(made) / "flash"
        lay_out(Path(source_dir), tree, form, build or {})
        copy(port, tree)
        verify(port, tree)


def lay_out(source: Path, tree: Path, form: str, build: dict[str, Any]) -> None:
    """Make in `tree` what the board's filesystem shall hold."""
    if form not in ("mpy", "py"):
        raise DeployError(f"firmware goes onto a board as 'mpy' or 'py', not as {form!r}")
    tree.mkdir(parents=True)
    for name in _AT_ROOT:
        if (source / name).exists():
            shutil.copy(source / name, tree / name)
    packages = sorted(init.parent for init in source.glob("*/__init__.py"))
    if not packages:
        raise DeployError(f"no package in {source}; firmware is a folder with an __init__.py")
    for package in packages:
        for file in sorted(package.rglob("*.py")):
            relative = file.relative_to(source)
            target = tree / "lib" / relative
            if form == "py":
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
            else:
                compile_mpy(file, target.with_suffix(".mpy"), str(relative), optimise=2)
    (tree / "muster.json").write_text(json.dumps(_board_file(build), separators=(",", ":")))


def _board_file(build: dict[str, Any]) -> dict[str, Any]:
    facts = read_facts(build.get("board", "EMULATED"))

    def wired(part: Wired | None) -> dict[str, int] | None:
        return None if part is None else {"pin": part.pin, "active": part.active}

    made: dict[str, Any] = {
        "model": facts.model,
        "built": int(time.time()),
        "button": wired(facts.button),
        "led": wired(facts.led),
        "onboarding": {"prefix": "MUSTER-", "ssid": None, "psk": None},
    }
    return made | build | {"board": facts.name}


def copy(port: str, tree: Path) -> None:
    """Copy a prepared tree to the root of the board's filesystem, with mpremote."""
    entries = [str(path) for path in sorted(tree.iterdir())]
    command = [sys.executable, "-m", "mpremote", "connect", port, "fs", "cp", "-r", *entries, ":"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_MPREMOTE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise DeployError(
            f"mpremote did not finish within {_MPREMOTE_S} s on {port}; reset the board, try again"
        ) from None
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise DeployError(
            f"mpremote could not copy to {port}:\n" + "\n".join(words) + "\nis the board on, "
            "at its REPL, and is the port free?"
        )


def verify(port: str, tree: Path) -> None:
    """Compare every file's digest on the board with the tree's."""
    wanted = {
        f"/{path.relative_to(tree)}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(tree.rglob("*"))
        if path.is_file()
    }
    try:
        with REPL(port) as repl:
            repl.exec(_DIGESTS)
            # one line per file: a list of them all would need more heap than a small board has
            there = {path: repl.exec(f"print(digest({path!r}))").strip() for path in wanted}
    except RemoteError as e:
        raise DeployError(f"a file did not arrive on {port}:\n{e}") from None
    wrong = [path for path in wanted if wanted[path] != there[path]]
    if wrong:
        raise DeployError(
            f"{', '.join(wrong)} on {port} differ from what was sent; deploy once more, "
            "and if that does not help the flash may be worn out"
        )


def write_identity(port: str, device_id: str, secret: bytes) -> None:
    """Write a label's identity to the board that has the firmware, over serial only.

    The secret travels in the raw REPL, which does not echo; it is in no argument, file or message.
    Raises DeployError if the firmware is missing or refuses.
    """
    code = f"import muster.identity\nmuster.identity.write({device_id!r}, {bytes(secret)!r})\n"
    try:
        # a fresh interpreter: what ran before may hold heap, radio or the store
        with REPL(port, soft_reset=True) as repl:
            repl.exec(code)
    except RemoteError as e:
        reason = str(e).strip().splitlines()[-1] if str(e).strip() else "an unknown error"
        raise DeployError(
            f"the board on {port} did not take the identity ({_without(reason, secret)}); "
            "is the firmware deployed?"
        ) from None
    except BoardError:
        raise DeployError(
            f"no answer from the board on {port} while writing the identity; reset it, try again"
        ) from None


def _without(text: str, secret: bytes) -> str:
    forms = (secret.hex(), repr(secret)[2:-1])
    return "…" if any(form in text for form in forms) else text
