# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# URLs are taken apart.

from muster import url


def test_urls_are_taken_apart():
    assert url.split("http://127.0.0.1:8422") == (False, "127.0.0.1", 8422, "")
    assert url.split("https://m2m.example/base/") == (True, "m2m.example", 443, "/base")
