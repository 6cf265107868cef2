# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands of `muster-unit` that have to do with ports and firmware."""

import dataclasses
import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from muster_harness.bench.board_check import problems
from muster_harness.commands.follow import follow, highlighted
from muster_harness.commands.looking import looked_into
from muster_harness.commands.progress import ProgressBar
from muster_harness.deploy.firmware import deploy_firmware
from muster_harness.deploy.labels import Label, parse_label
from muster_harness.deploy.layout import is_muster
from muster_harness.errors import HarnessError, PortError
from muster_harness.terminal import is_coloured
from muster_harness.wire.ports import find_port, list_ports
from muster_harness.wire.probe import BoardInfo, probe

# In the repository a link to firmware/ at its top; in an installed harness a folder.
_FIRMWARE = Path(__file__).parents[1] / "firmware"
_LONGEST_LABEL = 4096  # characters, with the URL that may hold it


def say(text: str) -> None:
    """Tell a person something besides the result; it goes to standard error."""
    print(text, file=sys.stderr, flush=True)


def chosen_port(options: Namespace) -> str:
    """Return the port that the options mean.

    Raises PortError if none can be meant, or more than one.
    """
    wanted = options.port or os.environ.get("MUSTER_PORT")
    if wanted:
        return find_port(wanted)
    ports = list_ports()
    if len(ports) == 1:
        say(f"port: {ports[0].path}")
        return ports[0].path
    there = ", ".join(port.path for port in ports) or "none is plugged in"
    raise PortError(f"which port? Name it with --port; {there}")


def chosen_source(options: Namespace) -> Path:
    """Return the folder of the firmware: the one that is named, else Muster's own.

    Raises HarnessError if none is named and Muster's own is not there.
    """
    return Path(options.source) if options.source else own_firmware()


def own_firmware() -> Path:
    """Return the folder of Muster's own firmware. Raises HarnessError if it is not there."""
    if not is_muster(_FIRMWARE):
        raise HarnessError("which firmware? Name its folder with --source")
    return _FIRMWARE


def print_json(document: object) -> int:
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return 0


def list_units(options: Namespace) -> int:
    """Print one line per port."""
    ports = list_ports()
    if options.json:
        return print_json([dataclasses.asdict(port) for port in ports])
    for port in ports:
        print(f"{port.path}  {port.usb_id}  {port.serial_number or '-'}  {port.description}")
        print(f"    {', '.join(port.boards) or 'no board file knows this USB id'}")
    if not ports:
        print("no USB serial port; is the board plugged in with a cable for data?")
    return 0


def info(options: Namespace) -> int:
    """Print what the board is and holds, but never its secret."""
    port = chosen_port(options)
    with looked_into(port, say) as repl:
        found = probe(repl)
    if options.json:
        return print_json(dataclasses.asdict(found))
    for name, value in _lines(found):
        print(f"{name:<12} {value}")
    return 0


def _lines(found: BoardInfo) -> list[tuple[str, str]]:
    if found.device_id is None:
        identity = "none; muster-unit label write gives it one"
    elif not found.device_id:
        identity = "there is one; only the firmware can read whose"
    else:
        identity = f"{found.device_id} (generation {found.generation})"
    return [
        ("board", found.board or "unknown until the firmware is deployed"),
        ("machine", found.machine),
        ("MicroPython", found.micropython),
        ("heap", f"{found.heap_free} of {found.heap_size} bytes free"),
        ("filesystem", f"{found.files_free} of {found.files_size} bytes free"),
        ("firmware", found.firmware or "none; muster-unit deploy brings it"),
        ("identity", identity),
    ]


def deploy_unit(options: Namespace) -> int:
    """Put the firmware onto a board."""
    port = chosen_port(options)
    source = chosen_source(options)
    agree = (lambda _: True) if options.force else may_touch
    with ProgressBar("deploy") as bar:
        done = deploy_firmware(
            port,
            source,
            options.form,
            build_facts(options),
            say,
            agree,
            bar.show,
            bundle=options.bundle,
        )
    if options.json:
        return print_json(dataclasses.asdict(done))
    if done.sent or done.removed:
        removed = f", {len(done.removed)} old ones removed" if done.removed else ""
        print(f"{len(done.sent)} files written and verified, {len(done.unchanged)} were right")
        print(f"the board has the firmware{removed}")
    else:
        print(f"all {len(done.unchanged)} files were right; nothing was written")
    label = f"muster-unit label write --port {port}, " if is_muster(source) else ""
    print(f"next: {label}muster-unit log --port {port} --restart")
    return 0


def may_touch(paths: list[str]) -> bool:
    """Ask the person at the terminal; answer no if nobody is there."""
    if not sys.stdin.isatty():
        return False
    say("muster-unit did not put these files there, or somebody has changed them since:")
    for path in paths:
        say(f"  {path}")
    return asked("Replace or remove them?")


def asked(question: str) -> bool:
    """Ask a question and tell whether the person at the terminal said yes."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def build_facts(options: Namespace) -> dict[str, Any]:
    """Return the facts for /muster.json that the command line gives."""
    build = {"board": options.board, "model": options.model}
    wanted: dict[str, Any] = {name: value for name, value in build.items() if value}
    if options.onboarding_ssid or options.onboarding_password_file:
        psk = None
        if options.onboarding_password_file:
            psk = read_text(options.onboarding_password_file).strip()
        wanted["onboarding"] = {"prefix": "MUSTER-", "ssid": options.onboarding_ssid, "psk": psk}
    return wanted


def read_text(path: str) -> str:
    """Return the text of a small file that the user names.

    Raises HarnessError if it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise HarnessError(f"{path} cannot be read: {e}") from None


def read_label(path: str) -> Label:
    """Read a label from a file, or from standard input for "-".

    A label is no argument, because every user of a machine can read its command lines. Raises
    LabelRefused for a bad label, HarnessError for a file that cannot be read.
    """
    text = sys.stdin.read(_LONGEST_LABEL) if path == "-" else read_text(path)
    return parse_label(text.strip())


def log(options: Namespace) -> int:
    """Follow the serial log."""
    colour = is_coloured(sys.stdout)
    for line in follow(chosen_port(options), options.seconds, options.restart):
        print(highlighted(line, colour), flush=True)
    return 0


def check_boards(options: Namespace) -> int:
    """Print all problems of all board files; return 1 if there are any."""
    found = [(file, problem) for file in options.file for problem in problems(Path(file))]
    for file, problem in found:
        print(f"{file}: {problem}")
    if not found:
        print("nothing is wrong with " + ", ".join(options.file))
    return 1 if found else 0
