# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Words of the pages for what the service tells in words for programs.

Each text is English, and the key of its translations.
"""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

# The nine steps in four words: what people see, which steps it takes, and the LED meanwhile.
STAGES = (
    ("Found", "It has found this server", (3, 4)),
    ("Agreed", "Both have proved who they are", (5, 6)),
    ("Joining Wi-Fi", "It joins your network", (7, 8)),
    ("At work", "It has registered and sends readings", (9,)),
)

STEPS = {
    3: "it began to look",
    4: "it found a network to the server",
    5: "it told the server about itself",
    6: "it got its settings",
    7: "it left the server",
    8: "it joined its Wi-Fi",
    9: "it registered at the platform",
}

# docs/device-life.md, "States and LED"; the patterns are in style.css.
LED = {
    "seek": "blinks fast",
    "trial": "blinks evenly, once a second",
    "committed": "flashes briefly every three seconds",
    "failed": "blinks three times, then pauses",
}

STATES = {
    "prepared": "prepared",
    "waiting": "waits",
    "handed_out": "is trying",
    "applied": "has its settings",
    "registered": "at work",
    "failed": "failed",
    "displaced": "displaced",
}

# What is waited for, by the service's word for programs.
WAITING = {
    "press": "Have it near, switched on, and press its button once.",
    "open_window": "Its window is closed. Open it, then press the button once.",
    "open_after_reset": "Somebody with its label says that it was reset. If it was you, open the "
    "window and press the button; if not, somebody else knows its label.",
    "open_if_wanted": "Its label was used while the window was closed. If it was you, open the "
    "window; if not, somebody else knows its label.",
    "carry_bundle": "Carry its settings to it, by hand.",
    "apply_bundle": "Have it take the settings that you carried, and type the receipt that it "
    "shows.",
    "new_bundle": "Mend what failed, then carry new settings to it.",
    "mend": "Mend what failed. It tries again by itself, and at once if you press its button.",
    "account": "The platform has to answer. It is asked again by itself.",
    "sighting": "The platform has yet to see it.",
    "trial": "It is trying its settings.",
    "silent_since_trial": "It was given its settings and has said nothing since. It tries again "
    "by itself; a press of its button hurries it.",
    "contact": "It takes the change when it next asks; at once if you press its button.",
    "overdue": "It is late. See that it has power and its network.",
    "nothing": "Nothing: it is at work.",
}
# Tasks: what they do, how far they are, and what became of a row.
TASKS = {"claim": "Add many devices", "change": "Change several"}
TASK_STATES = {
    "filling": "is being prepared",
    "looking": "looks at each row",
    "looked": "every row was looked at",
    "running": "is under way",
    "done": "done",
    "expired": "expired",
}
VERDICTS = {
    "": "not yet",
    "added": "added",
    "known": "known already",
    "changed": "changed",
    "refused": "refused",
}
VERDICTS_TRIED = {**VERDICTS, "added": "can be added"}
CHANGED = {
    "profile": "Settings",
    "group": "Group",
    "added_tags": "Tags to add",
    "removed_tags": "Tags to take away",
}
# Roll-outs, and the devices in them.
ROLLOUTS = {
    "filling": "is being prepared",
    "running": "is under way",
    "waiting": "the wave is through; the next one waits for you",
    "stopped": "has stopped",
    "done": "done",
    "aborted": "taken back",
}
MEMBERS = {
    "waiting": "later",
    "offered": "on its way",
    "held": "held back",
    "succeeded": "has it",
    "failed": "failed",
}
OPENING = ("open_window", "open_after_reset", "open_if_wanted")


@dataclass(frozen=True)
class Mend:
    """A failure in one sentence, and the kind of the button that mends it."""

    sentence: str
    by: str  # password, network, window, by_hand, account, operator, wait


MENDS = {
    "wifi_auth": Mend("The Wi-Fi password for {network} was refused.", "password"),
    "wifi_no_ap": Mend("The device does not hear {network}.", "network"),
    "wifi_security": Mend("The device cannot speak the security of {network}.", "network"),
    "wifi_timeout": Mend("{network} did not let the device in.", "network"),
    "dhcp_timeout": Mend("{network} let the device in and gave it no address.", "network"),
    "discovery_none": Mend("The device found no way to this server.", "by_hand"),
    "server_unreachable": Mend("The device found this server and got no answer.", "by_hand"),
    "server_rejected": Mend("The server did not recognise the device by its label.", "operator"),
    "server_untrusted": Mend("The device met a server that is not its own.", "operator"),
    "config_invalid": Mend("The settings have a field that the device refuses.", "operator"),
    "config_not_newer": Mend("The device has had newer settings before.", "by_hand"),
    "clock_unknown": Mend("The device does not know the time yet.", "wait"),
    "platform_unreachable": Mend(
        "The device is on your Wi-Fi and does not reach the platform.", "operator"
    ),
    "platform_tls": Mend(
        "The platform could not prove to the device that it is the right one.", "operator"
    ),
    "platform_refused": Mend("The platform refused the device.", "account"),
    "platform_conflict": Mend(
        "Another device has this one's identity at the platform.", "account"
    ),
    "storage_failed": Mend("The device could not write its memory.", "operator"),
    "power_lost": Mend("The device lost its power in the middle.", "wait"),
    "watchdog": Mend("The device hung and started anew.", "wait"),
    "timeout": Mend("It took longer than it may.", "wait"),
}
UNKNOWN = Mend("The device reports something that this portal does not know.", "operator")

LABEL_REFUSED = {
    "format": "This is not a label. Scan it again, or type the id and the nine groups of four.",
    "device_id": "The id is not one: it has letters, digits, and single dots or hyphens inside.",
    "secret": "Look at group {groups} again: it has a character that no label has, or too few.",
    "check": "One character of the id or of the groups is mistyped. Compare them one by one.",
}

# The vendor knows the device by another label; which part of it differs is told to nobody.
LABEL_OF_NO_DEVICE = "Its vendor knows this device by another label. Is this the one on it?"

ROLES = {
    "administrator": "administrator: everything, and who uses the portal",
    "operator": "operator: the house's devices, and their settings",
    "owner": "owner: devices of their own",
    "viewer": "viewer: sees devices, changes nothing",
}
SCOPES = {
    "read": "see devices and readings",
    "change": "register and change devices",
    "manage": "the house's settings, too",
}
EVENTS = {
    "device.added": "a device was added",
    "device.configured": "a device has proved its settings",
    "device.failed": "a step failed at a device",
    "device.label_copied": "two devices use one label",
    "device.removed": "a device was removed or handed over",
    "webhook.test": "a test",
}
DELIVERIES = {
    "waiting": "waits",
    "delivered": "delivered",
    "given_up": "given up",
}
TIMELINE = {
    "device": "device",
    "portal": "portal",
    "config": "server",
    "platform": "platform",
}


def mend_of(device: dict[str, Any]) -> Mend | None:
    """Return what failed in the newest attempt, and what mends it; None if it did not fail."""
    attempt = device["attempt"]
    if attempt is None or attempt["state"] != "failed":
        return None
    return MENDS.get(attempt["code"], UNKNOWN)


def networks_at_fault(device: dict[str, Any]) -> list[str]:
    """Return the networks that the failure names; all of the device's if it names none."""
    detail = (device["attempt"] or {"detail": ""})["detail"]
    networks: list[str] = device["networks"]
    return [name for name in networks if name in detail] or networks


@dataclass(frozen=True)
class Unheard:
    """A network that a device is to join and does not hear, and what it hears instead."""

    network: str
    heard: str  # e.g. "“factory-2G” (−48 dBm)"


def unheard(device: dict[str, Any]) -> Unheard | None:
    """Return what is amiss between the settings and what the device heard last; None if nothing.

    A hidden network is not heard either, so this is a hint and stops nothing.
    """
    scan = (device["device"] or {"scan": []})["scan"]
    networks: list[str] = device["networks"]
    if not scan or not networks or any(entry[0] in networks for entry in scan):
        return None
    wanted = networks[0]

    def likeness(entry: list[Any]) -> tuple[float, int]:
        ratio = SequenceMatcher(None, entry[0].casefold(), wanted.casefold()).ratio()
        return round(ratio, 1), entry[2]

    nearest = sorted((entry for entry in scan if entry[0]), key=likeness, reverse=True)[:2]
    heard = ", ".join(f"“{ssid}” (−{abs(rssi)} dBm)" for ssid, _, rssi, _ in nearest)
    return Unheard(wanted, heard) if heard else None


# What the page that prepares a board says, by the names that its script has for it. {detail} is
# the board's: a list of files, a chip, an id.
PREPARING = {
    "insecure": "A browser reaches serial ports only on a page that comes over https, or from "
    "this machine itself (http://localhost). Open the portal that way.",
    "unsupported": "This browser does not reach serial ports. Chrome, Edge and Opera do, on a "
    "computer; on a phone none does.",
    "chosen": "The port is chosen. Go on with step 2, or with step 3 if MicroPython is there.",
    "no_port": "No port was chosen. If the board is not in the list: plug it in with a cable for "
    "data, and install its driver (CP210x, CH34x) on an older system.",
    "choose_first": "Choose the port in step 1 first.",
    "busy": "The port does not open. Close other programs that use it (a terminal, an IDE, "
    "another tab), then try again.",
    "silent": "The board does not answer. Press its reset button and try again; if it has no "
    "MicroPython yet, do step 2 first.",
    "unplugged": "The board was unplugged. Plug it in, choose its port again, and repeat this "
    "step: it goes on where it was.",
    "wrong_chip": "This is another board than the one chosen above; it says: {detail}. Choose "
    "what it is, then try again.",
    "old_micropython": "Its MicroPython does not fit this firmware. Write a newer one in step 2.",
    "no_image": "This file is no image for a board. Take the .bin from the board's page at "
    "micropython.org, not .uf2 or .app-bin.",
    "which_image": "Choose an image: the portal has none for this board.",
    "no_loader": "The chip does not answer in download mode. Hold its BOOT button, press and "
    "release reset, let go of BOOT, and try again.",
    "worn": "What was written reads back otherwise. Try another cable or port; if that does not "
    "help, the flash is worn.",
    "foreign": "Somebody else has put files there, or changed them: {detail}. Save what you "
    "need, tick “Replace these files”, and send again.",
    "full": "The board has no room left. Erase everything in step 2, then try again.",
    "refused": "The board says: {detail}. Press its reset button and try again.",
    "otherwise": "{detail} arrived otherwise than sent; the board keeps what it had. Try again, "
    "with another cable if it happens again.",
    "not_labelled": "The board did not take the label. Press its reset button and try again.",
    "no_firmware": "The board has no firmware yet. Do step 3 first.",
    "labelled": "The board is {detail} already. Press again to make a new label for it: the old "
    "one is useless then, and the new one has to be registered.",
    "offline": "The portal does not answer. Look whether you are online, then try again.",
    "session": "The portal refuses this: your sign-in may have ended. Load the page again.",
    "unknown": "This was not expected: {detail}. Load the page again and repeat the step.",
    "connecting": "Connecting to the board …",
    "loading": "Getting the image …",
    "writing": "Writing. Leave the cable in …",
    "flashed": "MicroPython is there, and verified. Go on with step 3.",
    "sending": "Sending. Leave the cable in …",
    "deployed": "The firmware is there: {detail} files sent, all compared. Go on with step 4.",
    "nothing_to_send": "The firmware was there already; nothing was sent. Go on with step 4.",
    "done": "The board is {detail} now, and begins to work; if its light stays dark, press its "
    "reset button. Print its label below.",
    "count": "Labels to print: {detail}",
    "relabel": "Make a new label for it",
    "give_label": "Give it a label",
}
