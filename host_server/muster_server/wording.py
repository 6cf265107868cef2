# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Words for what device, servers and platform saw of an onboarding."""

from typing import Any

from muster_server.outcomes import STEPS, sentence

# What ends an onboarding well.
SUCCESSES = ("proved", "receipt_accepted")

# By source and what was seen; a newer server's are shown as they are.
SEEN = {
    ("portal", "claimed"): "the device was registered by its label",
    ("portal", "window_opened"): "the owner opened the onboarding window",
    ("portal", "changed"): "the owner changed its name or its profile",
    ("portal", "window_shut"): "the owner closed the onboarding window",
    ("portal", "account_replaced"): "the owner asked for a new account",
    ("portal", "released"): "the owner released the device",
    ("portal", "bundle_made"): "a bundle was made",
    ("portal", "bundle_handed_out"): "the bundle was handed out",
    ("portal", "receipt_accepted"): "its receipt was accepted",
    ("portal", "receipt_failed"): "its receipt says that the device went back",
    ("portal", "receipt_superseded"): "a receipt of an older bundle was entered",
    ("portal", "receipt_refused"): "a receipt was refused",
    ("config", "prepared"): "a configuration was prepared",
    ("config", "not_prepared"): "no configuration could be prepared",
    ("config", "reported"): "the device reported",
    ("config", "handed_out"): "a configuration was handed out",
    ("config", "proved"): "the device proved its configuration",
    ("config", "retired"): "keys and tokens were retired",
    ("config", "claim_proved"): "the registration was proved",
    ("config", "claim_dropped"): "a registration was dropped",
    ("config", "label_copied"): "a second device used the label",
    ("config", "window_closed"): "the label was used outside its window",
    ("config", "refused"): "an attempt under this id was refused",
    ("config", "told_to_forget"): "the device was told to forget its configuration",
    ("config", "token_ended"): "a token was revoked at the platform",
    ("config", "account_ended"): "an account was closed at the platform",
    ("config", "describe_put_off"): "the platform could not be told what the device is",
    ("config", "objects_put_off"): "what the device runs could not be kept at the platform",
    ("config", "objects_gone"): "the device's node was gone at the platform, and is made anew",
    ("config", "change_wanted"): "a change was asked for at the platform",
    ("config", "change_runs"): "the device runs a change that was made at the platform",
    ("config", "change_refused"): "a change at the platform was refused",
    ("config", "change_failed"): "a change that was made at the platform failed",
    ("config", "change_replaced"): "a change at the platform gave way to the portal's",
    ("config", "revoke_token_put_off"): "a token could not be revoked yet",
    ("config", "close_account_put_off"): "an account could not be closed yet",
    ("platform", "account_made"): "the account was made",
    ("platform", "token_issued"): "a token was issued",
    ("platform", "token_revoked"): "a token was revoked",
    ("platform", "account_closed"): "the account was closed",
    ("platform", "registered"): "the device registered (AE created)",
    ("platform", "came_again"): "the device came back to its registration",
    ("platform", "renewed"): "the device renewed its registration",
    ("platform", "deregistered"): "the registration was removed",
    ("platform", "expired"): "the registration ran out",
    ("platform", "first_reading"): "the first reading came",
    ("platform", "refused"): "a request was refused",
}


def said(entry: dict[str, Any]) -> str:
    """Say what was seen, e.g. "join the operational network"."""
    if entry["what"] == "step":
        return STEPS.get(entry["step"], f"step {entry['step']}")
    return SEEN.get((entry["source"], entry["what"]), str(entry["what"]))


def hand_over(released: dict[str, Any]) -> list[str]:
    """Say what is left to do with a device that was released, in order; no secret is in it."""
    to_do = [
        "At the device: hold the button for 15 s, until its LED blinks, and leave it switched on "
        "for some minutes: it forgets its configuration and overwrites its flash.",
        "At the device: give it a new label, with it on a cable: muster-unit label reissue. "
        "Whoever has seen or photographed the former one can do nothing with it then.",
    ]
    for network in released["networks"]:
        to_do.append(
            f"At the network '{network}': change its password, unless you have seen the device "
            f'being reset, and then in profile "{released["profile"]}" (and other profiles that '
            "name it)."
        )
    for account in released["accounts"]:
        to_do.append(
            f"Nothing at the platform {account['platform']}: the account "
            f"{account['originator']} is closed, as soon as the platform can be reached. A "
            "platform that keeps no accounts for this server has to be told by its operator."
        )
    return to_do


def rendered(timeline: dict[str, Any], networks: list[str], platform: str) -> dict[str, Any]:
    """The timeline with words for each entry, and with what to do about the first cause."""
    entries = [{**entry, "said": said(entry)} for entry in timeline["entries"]]
    cause = next((entry for entry in entries if entry["is_first_cause"]), None)
    if cause is not None:
        words = sentence(cause["code"], networks, platform, cause["detail"], cause["step"])
        later = entries[entries.index(cause) :]
        is_overcome = any(entry["what"] in SUCCESSES for entry in later)
        cause = {**cause, "sentence": words, "is_overcome": is_overcome}
    return {**timeline, "entries": entries, "first_cause": cause}
