# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Gives a board its label's identity, over serial only, and makes sure that it arrived."""

import hashlib
from collections.abc import Callable

from muster_harness.deploy.firmware import write_identity
from muster_harness.deploy.labels import Label, new_label
from muster_harness.errors import DeployError, IdentityPresent, RemoteError
from muster_harness.wire.probe import BoardInfo, probe
from muster_harness.wire.repl import REPL

# Compared on the board, so that the secret does not come back over the wire.
_COMPARE = """\
import hashlib
from muster import hardware, identity
who = identity.read(hardware.open_nvs("muster"))
print(who.device_id == {device_id!r} and hashlib.sha256(who.secret).digest() == {digest!r})
"""

Say = Callable[[str], None]


def look(port: str, say: Say | None = None) -> BoardInfo:
    """Return the facts about a board.

    Raises DeployError if it has no firmware to hold an identity.
    """
    with REPL(port, soft_reset=True, say=say) as repl:
        info = probe(repl)
    if info.firmware is None:
        raise DeployError(
            f"the board on {port} has no firmware that could hold an identity; "
            f"muster-unit deploy --port {port} first"
        )
    return info


def write_label(
    port: str,
    info: BoardInfo,
    label: Label,
    *,
    note: Callable[[Label], None] = lambda label: None,
    replaces: bool = False,
) -> None:
    """Write a label's identity to the board that `look` has seen, and compare it there.

    `note` keeps a new label before anything is written. A note of a label that no board has costs
    nothing; in the other order a device could have a secret that nobody knows. Raises
    IdentityPresent if the board has an identity and nobody said that this one `replaces` it,
    DeployError if the identity reads back otherwise.
    """
    if info.device_id is not None and not replaces:
        raise IdentityPresent(
            f"the board on {port} is {info.device_id or 'labelled'} already, and its label would "
            "become useless; --force replaces it, muster-unit label reissue keeps the id"
        )
    note(label)
    write_identity(port, label.device_id, label.secret)
    digest = hashlib.sha256(label.secret).digest()
    try:
        with REPL(port) as repl:
            said = repl.exec(_COMPARE.format(device_id=label.device_id, digest=digest))
    except RemoteError:
        said = ""
    if not said.endswith("True\n"):
        raise DeployError(
            f"the identity on {port} reads back otherwise than it was written; write it again"
        )


def reissued(port: str, info: BoardInfo) -> Label:
    """Make a new label for the same device. Raises DeployError on a board without an identity."""
    if not info.device_id:
        raise DeployError(f"the board on {port} has no identity; muster-unit label write gives it")
    return new_label(info.device_id)
