# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the setup page says of an outcome, in sentences for whoever stands beside the device. The
# servers have their own for its owner. Loaded for one page.

_AGAIN = "Have a new file made for this device."
_WORDS = {
    "wifi_no_ap": (
        "The Wi-Fi network of the configuration is not in reach here.",
        "Is it switched on, does it send on 2.4 GHz, is the device near enough?",
    ),
    "wifi_auth": (
        "The Wi-Fi network refused the password of the configuration.",
        "Have a new file made with the right one.",
    ),
    "wifi_security": (
        "The Wi-Fi network has a kind of security that the device does not speak.",
        "It needs WPA2 or WPA3.",
    ),
    "wifi_timeout": (
        "The Wi-Fi network is there and did not let the device in.",
        "Try it nearer to the access point.",
    ),
    "dhcp_timeout": (
        "The Wi-Fi network let the device in and gave it no address.",
        "Whoever looks after that network can see why.",
    ),
    "server_untrusted": (
        "This file was not made for this device, or it was changed on its way.",
        "Is it the right file? Otherwise have a new one made.",
    ),
    "config_invalid": (
        "This is not a whole configuration file.",
        "Copy all of it, or choose the file.",
    ),
    "config_not_newer": ("The device has had this configuration, or a newer one.", _AGAIN),
    "clock_unknown": ("The device does not know what time it is.", _AGAIN),
    "platform_unreachable": (
        "The device joined its network and could not reach its platform from there.",
        "Does that network lead to the platform?",
    ),
    "platform_tls": (
        "What answered in place of the platform could not prove that it is the platform.",
        "Show the line below to whoever sent you the file.",
    ),
    "platform_refused": (
        "The platform does not let the device in.",
        "Show the line below to whoever sent you the file.",
    ),
    "platform_conflict": (
        "Another device has this one's place at the platform.",
        "Show the line below to whoever sent you the file.",
    ),
    "storage_failed": ("The device could not write its memory.", "Try it once more."),
    "power_lost": ("The power failed in the middle.", "Try it once more."),
    "watchdog": ("The device hung and restarted itself.", "Try it once more."),
    "timeout": ("It took longer than it may.", "Try it once more."),
}
_CAUSES = {  # of what is not taken, by how its detail begins
    "kid": ("This file was made for another device.", "Is it the right file?"),
    "tag": ("This file was damaged, or made for a former label of this device.", _AGAIN),
    "exp": ("This file has expired.", _AGAIN),
    "config": ("This file has a mistake in it.", _AGAIN),
    "ssid": ("No network was chosen.", "Choose one, or type its name."),
    "psk": ("A Wi-Fi password has 8 to 63 characters.", "Leave it empty if there is none."),
    "size": ("This file is far too large.", "Is it the right file?"),
}


# Returns what happened, and what to do.
def sentences(code, detail):
    if code in ("config_invalid", "server_untrusted"):
        cause = detail.partition(":")[0].partition(".")[0]
        if cause in _CAUSES:
            return _CAUSES[cause]
    return _WORDS.get(code) or ("Something stood in the way.", "Try it once more.")
