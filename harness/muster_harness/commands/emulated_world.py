# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Everything that an emulated board needs for its nine steps, and what to type next."""

import contextlib
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from muster_harness.commands import emulated_servers
from muster_harness.commands.boards import own_firmware
from muster_harness.commands.emulated_networks import OPERATIONAL, Networks
from muster_harness.commands.progress import ProgressBar
from muster_harness.deploy.firmware import deploy_firmware
from muster_harness.deploy.label_book import LabelBook
from muster_harness.deploy.labelling import look, write_label
from muster_harness.deploy.labels import new_label
from muster_harness.errors import HarnessError
from muster_harness.units.emulated import EmulatedBoard

_PROFILE = "emulated"


@contextlib.contextmanager
def served(board: EmulatedBoard, directory: Path, networks: Networks) -> Iterator[None]:
    """Servers, firmware and a label, made at the first time and found again later.

    Raises HarnessError if the networks are not those that servers can stand behind, or if
    something cannot be set up.
    """
    operational = networks.operational
    if networks.onboarding is None or operational is None:
        raise HarnessError("--servers wants a network MUSTER-… for onboarding, and another one")
    point, made = operational
    data, log = directory / "servers", directory / "servers.log"
    password_file = directory / "factory-password"
    if point["ssid"] != OPERATIONAL:
        raise HarnessError("--servers goes with the usual networks, without --air")
    begin = time.monotonic()
    print("servers   are being set up …", flush=True)
    emulated_servers.set_up(data, made.gateway, OPERATIONAL, password_file, _PROFILE)
    with emulated_servers.running(data, log):
        print(f"servers   ready after {time.monotonic() - begin:.1f} s; log in {log}", flush=True)
        device_id = _device_on(board, directory)
        _say_next(directory, data, device_id)
        yield


def _device_on(board: EmulatedBoard, directory: Path) -> str:
    """Bring the firmware and, to a new board, a label; return the device's id."""
    begin = time.monotonic()
    print("firmware  is on its way …", flush=True)
    with ProgressBar("firmware ") as bar:
        deploy_firmware(board.port, own_firmware(), progress=bar.show)
    info = look(board.port)
    device_id = info.device_id
    if not device_id:
        label = new_label()
        with LabelBook(directory / "labels.csv") as book:
            write_label(board.port, info, label, note=book.add)
        device_id = label.device_id
        file = directory / "label.txt"
        file.unlink(missing_ok=True)
        file.touch(0o600)
        file.write_text(label.text + "\n")
    board.forget_output()
    board.reset()
    took = time.monotonic() - begin
    print(f"device    {device_id}, its firmware and label in place after {took:.1f} s", flush=True)
    return device_id


def _say_next(directory: Path, data: Path, device_id: str) -> None:
    programs = _programs()
    print(f"""
Register the device, in another terminal:
  export MUSTER_DATA={_shown(data)}
  {programs}/muster device add - --profile {_PROFILE} < {_shown(directory / "label.txt")}
Press its button, here:
  press
Look at it, there:
  {programs}/muster device show {device_id} --follow
  {programs}/muster readings {device_id} --follow
Open its own network with a page for a phone, or for this machine's browser, here:
  press twice
""")


def say_by_hand(board: EmulatedBoard, networks: Networks, password_file: Path) -> None:
    """Name the commands with which a person brings servers, firmware and label."""
    if networks.operational is None:
        return
    point, made = networks.operational
    programs = _programs()
    print(f"""
Servers at {made.gateway} are behind both networks. By hand, in another terminal:
  {programs}/muster init --address {made.gateway} --ssid {point["ssid"]} \\
      --password-file {_shown(password_file)}
  {programs}/muster serve
and in a third one:
  {programs}/muster-unit deploy --port {board.port}
  {programs}/muster-unit label write --port {board.port}
  {programs}/muster device add --profile default
Then here: reset, press. All of it at once: make emulate SERVERS=1
""")


def _programs() -> str:
    return _shown(Path(sys.executable).parent)


def _shown(path: Path) -> str:
    """Return a path as short as it can be typed where this was started."""
    with contextlib.suppress(ValueError):
        path = path.absolute().relative_to(Path.cwd())
    return shlex.quote(str(path))
