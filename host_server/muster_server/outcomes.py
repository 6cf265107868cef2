# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The nine steps, the outcome codes and what is told of a device, in words to act on."""

import re
from dataclasses import dataclass

from muster_server import outcome_details, ssids

# The use case's words; tests/wire/steps.json holds the bench to the same.
STEPS = {
    1: "register the device at the portal",
    2: "tell the configuration server",
    3: "start looking for the configuration server",
    4: "find a network connection to it",
    5: "send it the device's information",
    6: "receive the configuration",
    7: "disconnect from the configuration server",
    8: "join the operational network",
    9: "register at the platform",
}
_FIND_NETWORK, _RECEIVE, _JOIN, _REGISTER = 4, 6, 8, 9


@dataclass(frozen=True)
class Outcome:
    """An outcome: what happened, and what a person can do about it.

    {network} is filled with the names of the networks in question, {platform} with its URL.
    """

    happened: str
    to_do: str
    step: int = _RECEIVE  # where it happens, when nobody says


# A code never changes meaning; its words may be improved. The device's own list.
OUTCOMES = {
    "ok": Outcome("It worked.", "There is nothing to do.", _REGISTER),
    "wifi_no_ap": Outcome(
        "The network {network} was not in reach.",
        "Check its name and its power, that it sends on 2.4 GHz, and that the device is near.",
        _JOIN,
    ),
    "wifi_auth": Outcome(
        "The Wi-Fi password for {network} was refused.",
        "Correct it {where}; if it is right, what the device hears is another network of that "
        "name.",
        _JOIN,
    ),
    "wifi_security": Outcome(
        "The network {network} uses a kind of security that the device does not speak.",
        "Allow WPA2 or WPA3 on it; if it is open, leave the password out {where}.",
        _JOIN,
    ),
    "wifi_timeout": Outcome(
        "The network {network} was there and did not let the device in, in time.",
        "Move the device closer, or see whether the access point is overloaded or keeps a list of "
        "devices.",
        _JOIN,
    ),
    "dhcp_timeout": Outcome(
        "The network {network} let the device in and gave it no address.",
        "Check the DHCP server of that network, or give the device a fixed address {where}.",
        _JOIN,
    ),
    "discovery_none": Outcome(
        "No configuration server was found on {network}.",
        "See that it runs and listens there, and that the network passes multicast; or switch the "
        "right onboarding network on, near the device.",
        _FIND_NETWORK,
    ),
    "server_unreachable": Outcome(
        "The configuration server was found and did not answer.",
        "Check that it runs, and that a firewall lets port 8421 through.",
        5,
    ),
    "server_rejected": Outcome(
        "The configuration server answered with an error: it does not know the device by this "
        "label, or it is busy.",
        "Register the label that is on the device now at the portal; see the server's log.",
        5,
    ),
    "server_untrusted": Outcome(
        "What came was not made with this device's key: another configuration server, or a bundle "
        "of another device or of a former label.",
        "Switch other onboarding networks off; make a bundle anew, with the label that is on the "
        "device now.",
    ),
    "config_invalid": Outcome(
        "The configuration has a field that is wrong.",
        "Correct the field in the profile; the detail names it. If a bundle was carried, carry "
        "all of it, before it expires.",
    ),
    "config_not_newer": Outcome(
        "The configuration is not newer than the newest that the device ever had.",
        "Let it sync once, or make a bundle above the version that it has; after a restored "
        "backup of the configuration server that settles it.",
    ),
    "clock_unknown": Outcome(
        "The device does not know the time, so it cannot check the certificate of {platform}.",
        "Let it sync once with the configuration server, or set an NTP server in the profile.",
        _REGISTER,
    ),
    "platform_unreachable": Outcome(
        "The platform {platform} could not be reached.",
        "Check its address in the profile, that it runs, and that {operational} leads to it.",
        _REGISTER,
    ),
    "platform_tls": Outcome(
        "No secure connection to the platform {platform} came about: it could not prove that it "
        "is the right one, or the device had no memory left for TLS.",
        "The detail says which. Check the certificate (dates, name) and the CA in the profile; or "
        "let the device's application use less memory.",
        _REGISTER,
    ),
    "platform_refused": Outcome(
        "The platform {platform} refused the device.",
        "See that its account is there and allowed; or give it a new one (muster device "
        "new-account).",
        _REGISTER,
    ),
    "platform_conflict": Outcome(
        "At the platform {platform} another device has this identity already.",
        "Give this device a new account (muster device new-account), and find out who uses its "
        "former one: its timeline says whether two used the label.",
        _REGISTER,
    ),
    "storage_failed": Outcome(
        "The device could not write its flash.",
        "See whether its file system is full; if it happens again, replace the device.",
    ),
    "power_lost": Outcome(
        "The device lost its power in the middle.",
        "It tries again by itself; if it happens again, use a better supply or cable.",
        7,
    ),
    "watchdog": Outcome(
        "The device hung, and its watchdog reset it.",
        "It tries again by itself; if it happens often, send its log to the firmware's maker.",
        7,
    ),
    "timeout": Outcome(
        "It took longer than it may.",
        "The device tries again by itself; if it happens again, look at the signal of {network} "
        "and at the platform {platform}.",
        _REGISTER,
    ),
}
CODES = tuple(OUTCOMES)

# What only the servers tell of a device.
TOLD = {
    "window_closed": "Somebody used the label while its onboarding window was closed. If it was "
    "you, open the window and try again; if not, the label may be known to others.",
    "label_copied": "The label was used by two devices before one had proved its configuration: "
    "{detail}. The device that proves it gets new keys at its next contact, and the others' end. "
    "If you did not move or replace the device, its label has been copied: release it, hold its "
    "button for 15 s, give it a new label (muster-unit label reissue) and register that.",
    "claim_displaced": "Too many claims were made for this device id, so one of yours had to make "
    "room; register the label again when the device is at hand.",
    "claim_refused": "Another label has been proved for this device id, so this one was dropped.",
    "account_replaced": "The device was given a new account; it gets it with its next "
    "configuration, and the former one is closed then.",
    "change_wanted": "At the platform, somebody asked for a change: {detail}. The device tries it "
    "at its next contact.",
    "change_runs": "The device runs a change that was made at the platform: {detail}.",
    "change_refused": "A change at the platform was refused, and nothing was changed: {detail}.",
    "change_failed": "A change that was made at the platform was tried and failed, and the device "
    "went back: {detail}.",
    "change_replaced": "A change at the platform gave way: {detail}.",
    "bundle_made": "A bundle was made: {detail}.",
    "bundle_handed_out": "The bundle was handed out: {detail}.",
    "receipt_accepted": "The receipt was accepted: the device runs {detail}.",
    "receipt_failed": "The receipt says that the device tried {detail} and went back.",
    "receipt_superseded": "A receipt was entered that is for {detail}, which is not the newest.",
    "receipt_refused": "A receipt was entered that fits no bundle of this device.",
}
# How a device words what went wrong with a network on the way to the configuration server.
_ONBOARDING = re.compile(
    r"(?:network named|server on|connect to) (.{1,270})$"
    r"|^(.{1,132}?)(?:: (?:status|password refused|not heard|no time)| does not answer| gives no )"
)


def step_of(code: str) -> int:
    """The step at which this outcome comes about, when nobody says."""
    outcome = OUTCOMES.get(code)
    return outcome.step if outcome else _RECEIVE


def sentence(
    code: str, networks: list[str], platform: str, detail: str = "", step: int | None = None
) -> str:
    """Say what happened and what to do. A code of a newer firmware is shown with its own detail.

    `networks` are those of the device's configuration; at step 4 the network in question is
    another one, and the detail may have its name.
    """
    if code in TOLD:
        return TOLD[code].format(detail=detail or "its version is not known")
    outcome = OUTCOMES.get(code)
    if outcome is None:
        return f"The device reports {code}: {detail}" if detail else f"The device reports {code}."
    if code == "ok":
        return outcome.happened
    is_onboarding = (step or outcome.step) <= _FIND_NETWORK
    operational = " or ".join(f"'{ssid}'" for ssid in networks)
    named = _named(networks, detail, operational or "of the profile")
    words = {
        "network": _onboarding(detail) if is_onboarding else named,
        "operational": operational or "the operational network",
        "platform": platform or "of the profile",
        "where": "on the device, in its build" if is_onboarding else "in the profile",
    }
    happened, to_do = outcome_details.of(code, detail) or (outcome.happened, outcome.to_do)
    return f"{happened} {to_do}".format(**words)


def _named(networks: list[str], detail: str, otherwise: str) -> str:
    # The device names the network at fault; else all that it was given.
    named = [ssid for ssid in networks if _is_named(ssid, detail)]
    return " or ".join(f"'{ssid}'" for ssid in named) or otherwise


def _is_named(ssid: str, detail: str) -> bool:
    # As a device writes it: what is not printable ASCII becomes \\x…
    printable = "".join(
        chr(c) if 32 <= c < 127 and c != 92 else f"\\x{c:02x}" for c in ssids.raw(ssid)
    )
    return bool(re.search(rf"(?<!\w){re.escape(printable)}(?!\w)", detail))


def _onboarding(detail: str) -> str:
    found = _ONBOARDING.search(detail)
    name = found and (found[1] or found[2])
    return f"'{name}'" if name else "for onboarding"
