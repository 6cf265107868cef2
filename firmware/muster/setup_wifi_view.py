# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the setup page has of Wi-Fi, where the configuration lets somebody beside the device give it
# another network. Loaded for one answer.

import binascii

from .radio import printable

_ANOTHER = """<section><details%s><summary>Give it another Wi-Fi network</summary><p>The device \
tries it first, and keeps it beside those of its configuration.</p>%s</details></section>"""
_NEEDED = """<section><h2>Give it a Wi-Fi network</h2><p>The device keeps it if it reaches its \
platform from there.</p>%s</section>"""
_FORM = """<form method="post" \
action="/wifi" enctype="multipart/form-data"><label>The network<select name="ssid"><option \
value="">Choose one</option>%s</select></label><label>or its name, if it is not there<input \
name="other" maxlength="32" autocomplete="off" autocapitalize="off" spellcheck="false"></label>\
<label>Its password<input type="password" name="password" maxlength="64" autocomplete="off">\
</label><button>Try this network</button></form><p class="soft">Whoever looks after the device is \
told the network's name, and not the password.</p>"""
_LACKS = """<p>Version %d has arrived, is for this device and whole. It brings no Wi-Fi network: \
give the device one here, and it tries both together.</p>"""
_OPTION = """<option value="%s">%s</option>"""
_WORDS = {
    "wifi_no_ap": ("It is not in reach.", "Is its name right, and does it send on 2.4 GHz?"),
    "wifi_auth": ("It refused the password.", "Type the password once more."),
    "power_lost": ("The power failed meanwhile.", "Try it once more."),
}


# Returns (id, class, heading, text) of the box that says that a bundle needs one.
def lacking(version):
    return "lacking", "", "Now it needs a Wi-Fi network.", _LACKS % version


# Returns the form. heard: names of networks, as bytes. lacks: a bundle needs one. escaped:
# setup_view's.
def form(heard, is_open, lacks, escaped):
    options = ""
    for name in heard:
        value = binascii.b2a_base64(name)[:-1].decode()
        options += _OPTION % (value, escaped(shown(name)))
    fields = _FORM % options
    return _NEEDED % fields if lacks else _ANOTHER % (" open" if is_open else "", fields)


# Writes a network's name for a page: as the text that it is, or as for the log.
def shown(name):
    try:
        return name.decode()
    except UnicodeError:
        return printable(name)


# Returns (kind, heading, sentences) of what became of the network that was tried last, or None.
# record: local_wifi.py's. sentences: setup_words.py's.
def outcome(record, sentences):
    code = record["code"]
    if code is None:
        return None
    if code == "ok":
        text = "The device has joined it, reached its platform from there, and keeps it."
        return "good", "The network %s works." % record["name"], text
    what, to_do = _WORDS.get(code) or sentences(code, record["detail"])
    return "bad", "The network %s did not work." % record["name"], what + " " + to_do
