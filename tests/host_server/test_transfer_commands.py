# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a device go to its next owner by `muster transfer`, at both ends?"""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from muster_server import cli
from muster_server.label import new_label
from tests import secrecy
from tests.host_server.portal.pages.site import PASSWORD, Person
from tests.host_server.processes import Servers

Run = Callable[..., tuple[int, str, str]]


def owner(running: Servers, folder: Path) -> tuple[str, str]:
    """The token of an owner who has been invited, and her settings."""
    ada, grace = Person(running.urls["portal"]), Person(running.urls["portal"])
    link = (folder / "data" / "first-administrator-link").read_text().strip()
    code = link.partition("#")[2]
    assert ada.post("/join", code=code, name="ada", password=PASSWORD).is_redirect
    assert ada.post("/people/wifi-base", profile="press").is_redirect
    invited = re.search(r"/join#([\w-]+)", ada.post("/people/invite", role="owner").text)
    assert invited
    assert grace.post("/join", code=invited[1], name="grace", password=PASSWORD).is_redirect
    label = new_label()
    wifi = {"profile": "new", "ssid": "home", "password": "a password of hers"}
    assert grace.post("/add", label=label.qr_text, **wifi).is_redirect
    made = grace.post("/account/tokens", name="shell", scope="change", days="5").text
    token = re.search(r'id="new-token">(mst_[\w-]+)<', made)
    settings = re.search(r'value="(o-[^"]+\.home-[^"]+)"', grace.get("/add").text)
    assert token and settings
    secrecy.hide_label(label.qr_text, label.secret)
    for secret in (code, invited[1], token[1]):
        secrecy.hide(secret)
    return token[1], settings[1]


def test_device_goes_to_its_next_owner_by_a_code(
    muster: Any,
    servers: tuple[Servers, Path],
    device_id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    token, settings = owner(*servers)
    file = tmp_path / "hers"
    file.touch(0o600)
    file.write_text(token)

    def hers(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = cli.main([*words, "--token-file", str(file)])
        out, err = capsys.readouterr()
        return code, out, err

    assert muster("transfer", "show", device_id)[0] == 1
    withdrawn = json.loads(muster("transfer", "make", device_id, "--json")[1])["code"]
    assert "made by" in muster("transfer", "show", device_id)[1]
    assert muster("transfer", "withdraw", device_id)[0] == 0
    code, out, _ = muster("transfer", "make", device_id)
    good = out.splitlines()[0]
    secrecy.hide(good)
    assert code == 0 and "not shown again" in out and good != withdrawn
    take = ("transfer", "take", "--profile", settings, "--name", "my press")
    assert hers("transfer", "show", device_id)[0] == 1
    assert hers(*take)[0] == 2  # no code came
    code, _, err = hers(*take, stdin=withdrawn)
    assert (code, "not good" in err) == (1, True)
    code, out, err = hers(*take, stdin=good + "\n")
    assert code == 0 and f"{device_id} is yours" in out, err
    assert device_id in hers("device", "list")[1]
    assert muster("device", "show", device_id)[0] == 1
    left = muster("transfer", "list")[1]
    if device_id in left:
        assert f"muster transfer done {device_id}" in left
        assert muster("transfer", "done", device_id)[0] == 0
    assert device_id not in muster("transfer", "list")[1]
    # Other tests see the same servers.
    devices = json.loads(hers("device", "list", "--json")[1])["devices"]
    assert [hers("device", "release", d["device_id"])[0] for d in devices] == [0, 0]
    assert muster("profile", "delete", settings)[0] == 0
