# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`python -m tests.programs`: fetches what tests need before the first asks for it."""

import sys
from collections.abc import Callable

from set_up import Failed
from tests.firmware import interpreters
from tests.programs import BUILD
from tests.programs.axe import axe_core
from tests.programs.chromium import chromium
from tests.programs.proxies import all_of_them
from tests.system import acme

_ALL: tuple[Callable[[], object], ...] = (
    interpreters.wasm,
    chromium,
    axe_core,
    acme.install,
    all_of_them,
)


def fetch() -> bool:
    """Return whether all are there; print what is not, and how to get it. Its tests will fail."""
    if not BUILD.exists():
        print("Programs for the tests, once (240 MB to download, some 40 s on a fast line)")
    failed = []
    for get in _ALL:
        try:
            get()
        except Failed as error:
            failed.append(error)
    for reason in failed:
        print(reason, file=sys.stderr)
    return not failed


if __name__ == "__main__":
    sys.exit(0 if fetch() else 1)
