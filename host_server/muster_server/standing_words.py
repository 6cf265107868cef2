# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Words for a device's newest attempt, and for what it waits for."""

from typing import Any

from muster_server.outcomes import STEPS, sentence

# What is waited for, by the word for programs. {id} is the device's, {version} the newest that was
# made for it.
_WAITING = {
    "press": "Have it near the onboarding network, switched on, and press its button.",
    "open_window": "Its onboarding window is closed. Open it (muster device "
    "open {id}), then press the device's button.",
    "open_after_reset": "It was reset, says who used its label, and it waits for you: open the "
    "window (muster device open {id}), then press the device's button. If nobody reset it, "
    "somebody else knows its label.",
    "open_if_wanted": "Its label was used while its window was closed. If you want to onboard it "
    "again, open the window (muster device open {id}); if it was not you, somebody else knows its "
    "label.",
    "carry_bundle": "Carry the bundle of version {version} to it (muster bundle get {id}).",
    "apply_bundle": "Have it apply the bundle of version {version}, then enter "
    "the receipt that it shows.",
    "new_bundle": "Mend what failed, make a new bundle (muster bundle make "
    "{id}) and carry that to it.",
    "mend": "Mend what failed. The device tries again by itself, and at once if "
    "you press its button.",
    "account": "The platform has to answer: the device has no account there yet. It is asked "
    "again when the device asks.",
    "sighting": "The platform has to see the device register.",
    "trial": "The device is trying version {version}, and tells how it went.",
    "silent_since_trial": "The device was given version {version} and has said nothing since. It "
    "tries again by itself; a press of its button hurries it.",
    "contact": "The next contact of the device: it tries again by itself, and at once if you "
    "press its button.",
    "overdue": "The device is late: it should have asked by now. See that it has power and its "
    "network; its platform may have heard of it.",
    "nothing": "Nothing: it is at work.",
}


def of_waiting(device: dict[str, Any]) -> str:
    """Say what is waited for; a word of a newer server is shown as it is."""
    waiting = device["waiting_for"]
    words = _WAITING.get(waiting["what"], f"{waiting['who']}: {waiting['what']}")
    return words.format(id=device["device_id"], version=waiting["version"])


def of_attempt(attempt: dict[str, Any], networks: list[str], platform: str) -> str:
    """Say how the newest attempt went, and what to do if it failed."""
    if attempt["state"] == "under_way":
        return f"It has come to step {attempt['step']}, {STEPS[attempt['step']]}."
    return sentence(attempt["code"], networks, platform, attempt["detail"], attempt["step"])
