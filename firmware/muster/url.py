# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The parts of an http or https URL that a client needs.


# "https://m2m.example:8422/base/" as (True, "m2m.example", 8422, "/base"). The configuration's
# check has seen to it that scheme and host are there; ValueError if the port is not a number.
def split(url):
    scheme, _, rest = url.partition("://")
    where, _, path = rest.partition("/")
    host, _, port = where.partition(":")
    is_secure = scheme == "https"
    path = path.rstrip("/")
    return is_secure, host, int(port or (443 if is_secure else 80)), "/" + path if path else ""
