# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# URLs of servers, as configurations name them.

from mutation import changed_bytes, some

from muster.url import split

ROOM = 48 << 10
SEEDS = [
    b"https://m2m.example:8422/base/", b"http://10.0.0.1:8421", b"http://a", b"https://a/~b/_c",
    b"https://user@a:1/", b"http://[::1]:80/", b"http://a:65536", b"ftp://a", b"http://a?x#y",
]  # fmt: skip
_WORDS = [b"http://", b"https://", b":", b"/", b"@", b"%2f", b"..", b"\r\n", b"65535", b"\xc3\xa9"]
_LETTERS = ".-"


def make(corpus):
    return changed_bytes(some(corpus), some(corpus), _WORDS)


def play(data):
    try:
        text = data.decode()
    except UnicodeError:
        return None
    try:
        is_secure, host, port, path = split(text)
    except ValueError:
        return None
    if not host or not 1 <= port <= 65535 or is_secure not in (True, False):
        return "not a place: %s" % [host, port]
    for c in host + path:
        if c in " \r\n\t?#@:%" or c < " ":
            return "would break a request line: %r" % c
    return None
