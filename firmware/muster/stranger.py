# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Who answered in the place of whom was asked: a captive portal, a proxy, a load balancer or a web
# server, by what it says of itself; or why the answer is of no use. Loaded by http_head.py then.

_USELESS = {
    "": "something else answered there, not HTTP: %s",
    "coding": "the answer is compressed (%s), although none was wanted that is",
    "transfer": "the answer comes in a form nobody asked for: %s",
    "length": "the answer has no sensible length: %s",
}


# Returns the words, the telling ones first: a report cuts them. headers: as http.Connection's, so
# they are printable.
def described(status, headers):
    text = "something else answered there: HTTP %d" % status
    if "x-m2m-ri" in headers:
        text += " for another request"
    for name, longest in (("Server", 24), ("Location", 80), ("Content-Type", 24)):
        said = headers.get(name.lower())
        if said:
            text += ", %s %s" % (name, said[:longest])
    return text


# Returns the words for an answer whose head nobody can use. what: the header; "": it has none.
def useless(what, said):
    return _USELESS[what] % said
