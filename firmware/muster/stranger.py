# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Who answered in the place of whom was asked: a captive portal, a proxy, a load balancer or a web
# server, by what it says of itself. Loaded by http.py when somebody did.


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
