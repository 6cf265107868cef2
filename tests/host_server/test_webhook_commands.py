# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does `muster webhook` add, try and remove one, and show its secret once?"""

import argparse
import json
from typing import Any

from muster_server.portal.webhooks import EVENTS
from muster_server.sharing_table import WEBHOOK_COMMANDS
from tests import secrecy

PUBLIC = "https://hooks.example.org/a-path-that-is-a-password"


def test_webhook_is_added_looked_at_and_removed_and_its_secret_is_shown_once(muster: Any) -> None:
    words = ("--event", "device.added", "--event", "device.failed")
    for url in ("http://127.0.0.1:1/", "https://10.1.2.3/", "https://[fe80::1]/", "nonsense"):
        code, _, err = muster("webhook", "add", url, *words)
        assert code == 1 and "wanted" in err, url
    assert muster("webhook", "add", "-", *words)[0] == 2  # no URL came
    code, _, err = muster("webhook", "add", "https://example.org/", "--event", "device.gone")
    assert code == 1 and "events: wanted some of device.added, " in err
    made = json.loads(muster("webhook", "add", "-", *words, "--json", stdin=PUBLIC + "\n")[1])
    assert made["secret"].startswith("whsec_") and made["host"] == "hooks.example.org"
    secrecy.hide(made["secret"])
    listed = muster("webhook", "list")[1]
    assert f"{made['id']}  hooks.example.org: device.added, device.failed; on" in listed
    assert "password" not in listed and made["secret"] not in listed
    assert muster("webhook", "enable", made["id"])[0] == 0
    assert muster("webhook", "remove", made["id"])[0] == 0
    assert muster("webhook", "test", made["id"])[0] == 1  # there is none any more
    assert made["id"] not in muster("webhook", "list")[1]


def test_help_names_every_event() -> None:
    parser = argparse.ArgumentParser(prog="add")
    WEBHOOK_COMMANDS[0].prepare(parser)
    said = " ".join(parser.format_help().split())
    assert [event for event in EVENTS if event not in said] == []
