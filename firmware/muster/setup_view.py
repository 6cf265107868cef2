# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# How the setup page looks: HTML alone, no script, in pieces. Loaded for one answer; so its texts
# are not in memory while the network waits for somebody.

from . import setup_words
from .modules import borrow

_STYLE = """<style>:root{color-scheme:light dark;--bg:#eef1f4;--card:#fff;--ink:#15202b;\
--soft:#56636f;--line:#8b97a3;--go:#0a5bb5;--on:#fff;--good:#1b7a45;--bad:#b3261e}\
@media(prefers-color-scheme:dark){:root{--bg:#10151b;--card:#1a222b;--ink:#e9eef3;--soft:#a3b1be;\
--line:#66737f;--go:#7db9f5;--on:#08131f;--good:#62d49c;--bad:#ff9f96}}*{box-sizing:border-box}\
body{margin:0;background:var(--bg);color:var(--ink);font:17px/1.45 system-ui,sans-serif}\
main{max-width:31rem;margin:auto;padding:20px 16px}h1,h2,p,ol{margin:0 0 10px}\
h1{font-size:1.75rem;line-height:1.2;overflow-wrap:anywhere}h2{font-size:1.2rem}\
section{background:var(--card);border-radius:14px;padding:16px 16px 8px;margin:16px 0}\
.good,.bad{border-left:6px solid var(--good)}.bad{border-color:var(--bad)}.good h2{color:\
var(--good)}.bad h2{color:var(--bad)}small,.soft{color:var(--soft)}small{overflow-wrap:anywhere}\
label{display:block;font-weight:600;margin-top:12px}input,select,textarea,button,summary{\
width:100%;min-height:44px;font:inherit}input,select,textarea{margin-top:4px;padding:8px;font-weight:400;\
color:var(--ink);background:var(--bg);border:1px solid var(--line);border-radius:8px}\
input::file-selector-button{font:inherit;min-height:30px;margin-right:10px}\
button{margin:16px 0 8px;border:0;border-radius:10px;background:var(--go);\
color:var(--on);font-weight:700;min-height:48px}.receipt{font:700 1.9rem \
ui-monospace,monospace;letter-spacing:.04em}a{color:var(--go)}a.go{display:block;\
padding:11px 0}summary{padding:9px 0;font-weight:600}li{margin-bottom:6px}\
ol{padding-left:1.3em}</style>"""
_HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" \
content="width=device-width,initial-scale=1"><title>%s</title>"""
_TOP = """</head><body><main><p class="soft">Setup page of the device</p><h1>%s</h1><p>%s</p>"""
_FORM = """<p>Whoever looks after this device sends you its file, <b>%s.muster</b>, or the same \
as text.</p><form method="post" action="/bundle" enctype="multipart/form-data"><label>The file\
<input type="file" name="file"></label><label>or its text<textarea name="text" rows="4" \
autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label><button>Set up this \
device</button></form><p class="soft">If no file can be chosen here, open <b>http://%s/</b> in \
the phone's browser, or paste the text.</p>"""
_FIRST = """<section><h2>Set it up</h2>%s</section>"""
_NEW = """<section><details%s><summary>Give it another configuration</summary>%s</details>\
</section>"""
_END = """<p class="soft">You are in the device's own network, which has no internet. It closes \
ten minutes after it was opened, or when the button is pressed.</p></main></body></html>"""
_BOX = """<section id="%s" class="%s"><h2>%s</h2>%s</section>"""
_NEXT = """<ol><li>The device tries it now. This network goes away meanwhile, for some minutes \
at most.</li><li>Then join <b>%s</b> again.</li><li>This page opens once more, with the result \
and, for a file, a receipt.</li></ol><a class="go" href="/">Look at the result</a>"""
_RECEIPT = """<p>%s</p><p class="receipt">%s</p>"""


# Returns the page with the forms. page: setup_page's. refused: the error for which an upload was
# not taken, "" if nothing was sent; or None. is_wifi: what was refused was a network.
def start(page, refused, is_wifi):
    lacks = page.lacks
    takes_wifi = lacks or page.takes_wifi()
    box = _refusal(refused) if refused is not None else _outcome(page)
    if takes_wifi and refused is None:
        box += _network(page)
    form = _FORM % (page.label.device_id, page.address)
    if page.config is None and not lacks:
        return _page(page, box, _FIRST % form)
    is_refused = refused is not None
    form = _NEW % (" open" if is_refused and not is_wifi else "", form)
    if not takes_wifi:
        return _page(page, box, form)
    is_open = is_refused and is_wifi
    wifi = borrow("setup_wifi_view", "form", page.heard, is_open, lacks, escaped)
    return _page(page, box, wifi, form)


# Returns the page that answers a bundle that has been taken. version: None if nobody has looked
# yet; error: why it cannot be applied, or None.
def taken(page, version, error):
    if error is not None:
        what, to_do = setup_words.sentences(error.code, error.detail)
        text = "<p>%s %s</p>%s<p>Join the network again for the receipt.</p>"
        text %= what, to_do, _code(error)
        box = _BOX % ("refused", "bad", "It cannot be applied.", text)
    else:
        text = "It is looked at next."
        if version:
            text = "The file with version %d is for this device and whole." % version
        box = "<p>%s</p>%s" % (text, _NEXT % page.ssid)
        box = _BOX % ("taken", "good", "The file has arrived.", box)
    return _page(page, box)


# Returns the page that answers a network that has been taken.
def asked(page):
    box = "<p>It is tried before it is trusted.</p>" + _NEXT % page.ssid
    return _page(page, _BOX % ("taken", "good", "The network is known now.", box))


def _page(page, *parts):
    who = page.label.device_id
    pieces = [text.encode() for text in (_HEAD % who, _STYLE, _TOP % (who, _whose(page)))]
    return pieces + [text.encode() for text in parts] + [_END.encode()]


# Says what the device is, and whose.
def _whose(page):
    model = escaped(page.journal.model)
    if page.config is None:
        return "A device of the model “%s”. Nobody has set it up yet." % model
    name = page.config["device"].get("name")
    told = "“%s”, a device" % escaped(name) if name else "A device"
    host = page.config["config_server"]["url"].partition("//")[2].partition("/")[0]
    text = "%s of the model “%s”. It is set up, and looked after from %s."
    return text % (told, model, escaped(host.partition(":")[0]))


def _refusal(error):
    if not error:
        text = "<p>Choose the file, or paste its text, and press the button once more.</p>"
        return _BOX % ("refused", "bad", "Nothing was sent.", text)
    what, to_do = setup_words.sentences(getattr(error, "code", ""), getattr(error, "detail", ""))
    text = "<p>%s %s</p>%s" % (what, to_do, _code(error))
    return _BOX % ("refused", "bad", "That was not taken.", text)


# Says what became of the last bundle.
def _outcome(page):
    last = page.last
    if last is None:
        return ""
    version = last["version"]
    if last["code"] is None and last["lacks"]:
        return _BOX % borrow("setup_wifi_view", "lacking", version)
    if last["code"] is None:
        text = "<p>Version %d has arrived, and has not been tried yet.</p>" % version
        return _BOX % ("outcome", "", "It waits for its turn.", text)
    if last["code"] == "ok":
        kind, heading = "good", "It was applied."
        if page.config and page.config["version"] == version:
            heading = "The device works."
        text = "<p>Version %d is applied: the device has joined its network and registered at \
its platform.</p>"
        text %= version
        receipt = "This is the receipt. Give it to whoever sent you the file: entered at the \
portal, it proves that this device applied it."
    else:
        kind, heading = "bad", "It did not work."
        text = ""
        given = last["lacks"] and borrow("local_wifi", "load", page.store)["code"]
        if given != last["code"]:  # else what became of the network says it
            text = "<p>%s %s</p>" % setup_words.sentences(last["code"], last["detail"])
        if page.config:
            text += "<p>What the device ran on before goes on running.</p>"
        text += "<p><small>Version %d, %s: %s</small></p>"
        text %= version, last["code"], escaped(last["detail"])
        receipt = "Give this receipt to whoever sent you the file: it tells them the reason."
    if last["receipt"]:
        shown = last["receipt"]
        text += _RECEIPT % (receipt, shown[:4] + " " + shown[4:])
    return _BOX % ("outcome", kind, heading, text)


# Says what became of the network that somebody gave it last.
def _network(page):
    record = borrow("local_wifi", "load", page.store)
    found = borrow("setup_wifi_view", "outcome", record, setup_words.sentences)
    if not found:
        return ""
    kind, heading, text = found
    text = "<p>%s</p>" % text
    if kind == "bad":
        text += "<p><small>%s: %s</small></p>" % (record["code"], escaped(record["detail"]))
    return _BOX % ("network", kind, escaped(heading), text)


def _code(error):
    return "<p><small>%s</small></p>" % escaped(str(error))


def escaped(text):
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "#39")):
        text = text.replace(character, "&%s;" % name)
    return text
