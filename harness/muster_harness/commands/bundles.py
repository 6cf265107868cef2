# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands `muster-unit bundle …`."""

import sys
import time
from argparse import Namespace
from dataclasses import asdict

from muster_harness.bench.bundle_link import BundleLink, Status, digest
from muster_harness.commands.boards import chosen_port, print_json, say
from muster_harness.deploy.bundle_file import read_bundle
from muster_harness.errors import BoardError

_LOOK_S = 0.5


def send(options: Namespace) -> int:
    """Bring a bundle to a device, wait for its outcome, and show the receipt."""
    text = read_bundle(options.file)
    with BundleLink(chosen_port(options)) as link:
        before = link.status()
        say(f"{before.device_id}, version {before.highest or 'none'}: sending {len(text)} bytes")
        link.send(text, _progress, options.timeout)
        say("the device has verified it" + ("" if options.no_wait else " and tries it now"))
        if options.no_wait:
            return _show(link.status(), "", True, is_question=True) if options.json else 0
        status = _outcome(link, digest(text), options.timeout)
        return _show(status, link.detail(), options.json)


def status(options: Namespace) -> int:
    """Print what a device says of the last bundle that it had."""
    with BundleLink(chosen_port(options)) as link:
        found = link.status()
        return _show(found, link.detail(), options.json, is_question=True)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done * 100 // total:3d} %", end=end, file=sys.stderr, flush=True)


def _outcome(link: BundleLink, wanted: str, timeout_s: float) -> Status:
    end = time.monotonic() + timeout_s
    while True:
        found = link.status()
        if found.digest == wanted and found.code is not None:
            return found
        # It may try the bundle between two questions: then the detail is that of its failure.
        if found.digest == wanted and _waits(found, link.detail()) and link.status() == found:
            return found
        if time.monotonic() > end:
            raise BoardError(
                f"{found.device_id} has no outcome after {timeout_s:g} s; ask later: "
                "muster-unit bundle status"
            )
        time.sleep(_LOOK_S)


def _waits(found: Status, detail: str) -> bool:
    """Tell whether the device cannot try the bundle yet, and says why: it brings no network."""
    return found.code is None and found.doing == "waiting" and bool(detail)


def _show(found: Status, detail: str, as_json: bool, is_question: bool = False) -> int:
    if as_json:
        print_json(asdict(found) | {"detail": detail})
    else:
        print(f"device   {found.device_id}, highest version {found.highest}, {found.doing}")
        if found.version or found.code:
            state = "not tried yet" if _waits(found, detail) else "being tried"
            print(f"bundle   version {found.version}: {found.code or state}")
        if detail:
            print(f"         {detail}")
        if found.receipt:
            print(f"receipt  {found.receipt[:4]} {found.receipt[4:]}")
    return 0 if is_question or found.code == "ok" else 1
