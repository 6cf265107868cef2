# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are the files that pages ask for small, known by origin, and free of other hosts?"""

import hashlib
import re
from importlib import resources
from pathlib import Path

import pytest

_FOLDER = Path(str(resources.files("muster_server.portal.pages"))) / "static"
# Files of others, as their packages have them (npm: esptool-js bundle.js, js-md5
# build/md5.min.mjs, jsqr dist/jsQR.js).
VENDORED = {
    "esptool-js-0.7.0": "00ebe6fb0b202976d3e2a3c6b9a6bd438c26a81d2af6739c95ac276a64c1a84e",
    "js-md5-0.9.2": "7b34428e859fab87c690597a0b06124f288eb1aedc4462534585e5f98a0f0955",
    "jsQR-1.4.0": "bc40c8a15196236b2314db0856f72ca0b49980cd5413b8c852a7349f5fee0859",
}
_LONGEST = 200  # lines of a file of our own
_OWN = sorted(file.name for file in _FOLDER.glob("*.js") if file.stem not in VENDORED)


@pytest.mark.parametrize("name", VENDORED)
def test_files_of_others_are_as_they_came_with_their_licence(name: str) -> None:
    content = (_FOLDER / f"{name}.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == VENDORED[name]
    licence = (_FOLDER / f"{name}.LICENSE.txt").read_text()
    assert "Apache License" in licence or "Permission is hereby granted" in licence


def test_scripts_of_our_own_are_short_and_ask_no_other_host() -> None:
    assert len(_OWN) > 5
    for name in _OWN:
        text = (_FOLDER / name).read_text()
        assert len(text.splitlines()) < _LONGEST, name
        assert not re.search(r"""["'`](https?:)?//""", text), name
        assert '"use strict"' in text, name
