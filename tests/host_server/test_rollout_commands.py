# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does `muster rollout` begin, show, stop and end a roll-out, and say what may come next?"""

import json
from typing import Any

from tests.host_server.test_version_commands import draft


def test_rollout_is_begun_looked_at_stopped_gone_on_with_and_ended(
    muster: Any, profile: str, device_id: str
) -> None:
    number = draft(muster, profile, app={"every_s": 7})
    muster("device", "set", device_id, "--group", "pilot")
    words = ("rollout", "begin", "press", str(number), "--waves", "pilot, 20 %")
    code, out, err = muster(*words, "--most-failed", "2", "--json")
    assert code == 0, err
    begun = json.loads(out)
    assert begun["waves"][0]["group"] == "pilot" and begun["most_failed"] == 2
    one = begun["id"]
    assert muster(*words)[0] == 1  # one at a time
    shown = muster("rollout", "show", one)[1]
    assert "> wave 1   pilot" in shown and f"muster rollout stop {one}" in shown
    assert f"rolled out: muster rollout show {one}" in muster("profile", "versions", "press")[1]
    members = muster("rollout", "show", one, "--devices")[1]
    assert f"{device_id:<32}  wave 1" in members
    assert muster("rollout", "show", one, "--devices", "failed")[1] == "there is none\n"
    document = json.loads(muster("rollout", "show", one, "--devices", "--json")[1])
    assert device_id in [device["device_id"] for device in document["devices"]]
    assert "stopped (by hand)" in muster("rollout", "stop", one)[1]
    assert "running" in muster("rollout", "go-on", one)[1]
    assert "aborted" in muster("rollout", "abort", one)[1]
    assert muster("rollout", "go-on", one)[0] == 1
    finished = json.loads(muster(*words, "--json")[1])["id"]
    assert json.loads(muster("rollout", "finish", finished, "--json")[1])["state"] == "done"
    listed = muster("rollout", "list")[1]
    assert one in listed and finished in listed
    assert muster("rollout", "show", "none")[0] == 1
