# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Puts firmware onto a board, and a label's identity, over its REPL."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from muster_harness.deploy.bundle_file import device_of, put_bundle, read_bundle
from muster_harness.deploy.layout import is_muster, lay_out
from muster_harness.deploy.sending import Progress
from muster_harness.deploy.transfer import Agree, Transfer, examine, files_of, update
from muster_harness.errors import (
    BoardError,
    BundleRefused,
    DeployError,
    PortError,
    RemoteError,
    WrongBoard,
)
from muster_harness.facts import BoardFacts, Wired, read_facts
from muster_harness.wire.probe import BoardKind, check_board, guess_board, probe
from muster_harness.wire.repl import REPL

Say = Callable[[str], None]

_TAME = """\
import machine
bit = machine.reset_cause() == machine.WDT_RESET
if bit: machine.WDT(timeout=600000)
print(bit)
"""


def deploy_firmware(
    port: str,
    source_dir: str | Path,
    form: str = "mpy",
    build: dict[str, Any] | None = None,
    say: Say | None = None,
    agree: Agree | None = None,
    progress: Progress | None = None,
    bundle: str | Path | None = None,
) -> Transfer:
    """Make the board on `port` run the firmware in `source_dir`, and verify every file there.

    `lay_out` says where each file goes and which files are compiled. `build` names the board file
    ("board"; without it the board is recognised). For Muster's firmware it may also set "model",
    "built" and "onboarding"; /muster.json is made of both. `bundle` is the file of a configuration
    that the device shall apply at its first start.

    `say` hears warnings. `agree` is asked before a file that somebody else put there is touched;
    without it, ForeignFiles is raised. `progress` hears the bytes sent and the bytes to send.

    The board is left at its REPL; reset it to run the firmware. After an error the board still has
    its old files. Raises WrongBoard, ForeignFiles, FilesystemFull or DeployError; BoardError
    without a board; BundleRefused, for a bundle of another device too, before anything is touched.
    """
    source = Path(source_dir)
    wanted = dict(build or {})
    if not is_muster(source):
        _require_plain(source, wanted, bundle)
    sealed = read_bundle(bundle) if bundle else None
    facts = read_facts(wanted["board"]) if "board" in wanted else None
    with tempfile.TemporaryDirectory(prefix="muster-deploy-") as made:
        tree = Path(made) / "flash"
        lay_out(source, tree, form)

        def attempt() -> Transfer:
            if sealed:
                _check_whose(port, sealed, say)
            # a fresh interpreter: what ran before may hold heap
            with REPL(port, soft_reset=True, say=say) as repl:
                seen = examine(repl, files_of(tree))
                chosen = facts or _recognised(seen.kind)
                warning = check_board(seen.kind, chosen, form)
                if warning and say:
                    say(warning)
                if is_muster(source):
                    _write_facts(tree, wanted, chosen)
                done = update(repl, files_of(tree), seen, agree, progress)
                if sealed:
                    put_bundle(repl, sealed)
                return done

        try:
            return attempt()
        except PortError:
            raise
        except BoardError:
            if not tame_watchdog(port):
                raise
        if say:
            say("the board's watchdog bit meanwhile; it has been given ten minutes, once more")
        return attempt()


def _require_plain(source: Path, build: dict[str, Any], bundle: str | Path | None) -> None:
    asked = sorted(build.keys() - {"board"}) + (["bundle"] if bundle else [])
    if asked:
        raise DeployError(
            f"{source} is not Muster's firmware (it has no package muster), which alone reads "
            f"what you give: {', '.join(asked)}; leave that out"
        )


def _check_whose(port: str, sealed: str, say: Say | None) -> None:
    # a session of its own: what it imports there is gone when the firmware comes
    with REPL(port, soft_reset=True, say=say) as repl:
        try:
            device_id = probe(repl).device_id
        except RemoteError:  # firmware that cannot even say who it is
            return
    whose = device_of(sealed)
    if device_id and device_id != whose:
        raise BundleRefused(
            "server_untrusted",
            f"it is sealed for {whose}, and the board on {port} is {device_id}; choose another "
            "port or file, or give the board that label first: muster-unit label write",
        )


def tame_watchdog(port: str) -> bool:
    """Tell whether a watchdog has just reset the board, and if so, let it wait for ten minutes.

    A watchdog cannot be stopped, and survives a soft reset (ports/esp32/machine_wdt.c).
    """
    try:
        with REPL(port) as repl:
            return repl.exec(_TAME).endswith("True\n")
    except BoardError:
        return False


def _recognised(info: BoardKind) -> BoardFacts:
    facts = guess_board(info)
    if facts is None:
        raise WrongBoard(
            f"no board file fits a {info.machine!r} ({info.platform}); name one with --board, or "
            "make one: docs/adding-a-board.md"
        )
    return facts


def facts_of(facts: BoardFacts, build: dict[str, Any]) -> dict[str, Any]:
    """Return the content of /muster.json for this type of board."""

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


def _write_facts(tree: Path, build: dict[str, Any], facts: BoardFacts) -> None:
    made = facts_of(facts, build)
    (tree / "muster.json").write_text(json.dumps(made, separators=(",", ":")))


def write_identity(port: str, device_id: str, secret: bytes) -> None:
    """Write a label's identity to the board that has the firmware, over serial only.

    The secret travels in the raw REPL, which does not echo; no argument, file or message holds it.
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
    except PortError:
        raise
    except BoardError:
        raise DeployError(
            f"no answer from the board on {port} while writing the identity; reset it, try again"
        ) from None


def _without(text: str, secret: bytes) -> str:
    forms = (secret.hex(), repr(secret)[2:-1])
    return "…" if any(form in text for form in forms) else text
