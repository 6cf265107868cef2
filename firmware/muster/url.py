# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The parts of an http or https URL that a client needs.


# "https://m2m.example:8422/base/" as (True, "m2m.example", 8422, "/base"); ValueError if it is no
# such URL.
def split(url):
    scheme, mark, rest = url.partition("://")
    where, _, path = rest.partition("/")
    host, colon, port = where.partition(":")
    is_secure = scheme == "https"
    if scheme not in ("http", "https") or not mark or not host:
        raise ValueError("not an http URL")
    if not colon:
        port = "443" if is_secure else "80"
    path = path.rstrip("/")
    return is_secure, host, int(port), "/" + path if path else ""
