# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The nine steps and the outcome codes, in words that a person can act on."""

STEPS = {
    1: "register the device at the portal",
    2: "tell the configuration server",
    3: "look for the configuration server",
    4: "find a network connection to it",
    5: "send the device's report",
    6: "receive the configuration",
    7: "leave the configuration server",
    8: "join the operational network",
    9: "register at the platform",
}

# A code never changes meaning; the sentence may be improved. {networks} and {platform}
# are filled with what the device was told.
SENTENCES = {
    "ok": "It worked.",
    "wifi_no_ap": "The network {networks} was not in reach; check its name, and whether it sends "
    "on 2.4 GHz near the device.",
    "wifi_auth": "The Wi-Fi password for {networks} was refused; correct it in the profile.",
    "wifi_security": "The network {networks} uses a kind of security that the device does not "
    "speak; allow WPA2 on it.",
    "wifi_timeout": "Joining {networks} took too long; move the device closer or try again.",
    "dhcp_timeout": "The network {networks} let the device in but gave it no address; check the "
    "DHCP server of that network.",
    "discovery_none": "No configuration server was found on any network with the onboarding "
    "prefix; switch the onboarding network on, near the device.",
    "server_unreachable": "The configuration server did not answer; check that it runs and that "
    "the device's network leads to it.",
    "server_rejected": "The configuration server does not know this device by its label; register "
    "the label at the portal.",
    "server_untrusted": "Something answered as configuration server but could not prove it; check "
    "which servers are on the onboarding network.",
    "config_invalid": "The configuration has a field that is wrong; correct it in the profile.",
    "config_not_newer": "The configuration is not newer than the one the device had; sync again "
    "to get a new one.",
    "clock_unknown": "The device does not know the time, so it cannot check certificates; let it "
    "sync once with the configuration server, or set an NTP server in the profile.",
    "platform_unreachable": "The platform {platform} could not be reached; check its address in "
    "the profile, and that it runs.",
    "platform_tls": "The platform {platform} could not prove that it is the right one; check its "
    "certificate and the CA in the profile.",
    "platform_refused": "The platform {platform} refused the device; check that its account is "
    "there and allowed.",
    "platform_conflict": "At the platform {platform} another device already has this identity; "
    "remove it there, or give this device a new account.",
    "storage_failed": "The device could not write its flash; if it happens again, replace it.",
    "power_lost": "The device lost its power in the middle; it tries again by itself.",
    "watchdog": "The device hung and was reset by its watchdog; it tries again by itself. If it "
    "happens often, send its log to the maker of the firmware.",
    "timeout": "It took longer than it may; the device tries again by itself.",
    # codes that only the servers use
    "window_closed": "Somebody used the label while its onboarding window was closed. If it was "
    "you, open the window and try again; if not, the label may be known to others.",
    "claim_displaced": "Too many claims were made for this device id, and no device had answered "
    "to yours; register the label again when the device is at hand.",
    "claim_refused": "Another label has been proved for this device id, so this one was dropped.",
}


def sentence(code: str, networks: list[str], platform: str, detail: str = "") -> str:
    """What happened and what to do. A code of a newer firmware is shown with its own detail."""
    # The device names the network at fault; else all that it was given.
    named = [ssid for ssid in networks if f"'{ssid}'" in detail] or networks
    words = " or ".join(f"'{ssid}'" for ssid in named) or "of the profile"
    template = SENTENCES.get(code)
    if template is None:
        return f"The device reports {code}: {detail}" if detail else f"The device reports {code}."
    return template.format(networks=words, platform=platform or "of the profile")
