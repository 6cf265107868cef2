# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# How a request names its host: as front ends know it, by the exact name.

from muster.http import Connection

_TLS = object()


def _host(port, tls):
    message = Connection("m2m.example", port, tls).message("GET", "/", {}, None)
    return [line for line in bytes(message).split(b"\r\n") if line.startswith(b"Host: ")]


def test_a_host_is_named_without_the_port_that_its_scheme_has_anyway():
    assert _host(80, None) == _host(443, _TLS) == [b"Host: m2m.example"]


def test_any_other_port_is_named():
    assert _host(8080, None) == [b"Host: m2m.example:8080"]
    assert _host(443, None) == [b"Host: m2m.example:443"]
    assert _host(80, _TLS) == [b"Host: m2m.example:80"]
