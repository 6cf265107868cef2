# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The parts of an http or https URL that a client needs.


# Takes "https://m2m.example:8422/base/" apart: (True, "m2m.example", 8422, "/base"). There is no
# user, query, fragment, or IPv6 address. Raises ValueError if it is no such URL.
def split(url):
    scheme, mark, rest = url.partition("://")
    where, _, path = rest.partition("/")
    host, colon, port = where.partition(":")
    is_secure = scheme == "https"
    if not colon:
        port = "443" if is_secure else "80"
    if (
        not (is_secure or scheme == "http")
        or not mark
        or not host
        or not _has_only(host, b".-")
        or not port.isdigit()
        or not 1 <= int(port) <= 65535
        or not _has_only(path, b"._~/-")
    ):
        raise ValueError("not an http URL")
    path = path.rstrip("/")
    return is_secure, host, int(port), "/" + path if path else ""


# Tells whether there are only letters, digits, and these.
def _has_only(text, others):
    raw = text.encode()
    return all(c in others or 48 <= c <= 57 or 97 <= c | 32 <= 122 for c in raw)
