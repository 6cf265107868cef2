# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does `muster task` begin, show and end what is done to many devices?"""

import json
import time
from pathlib import Path
from typing import Any

from muster_server.label import new_label
from tests import secrecy

_PATIENCE_S = 30


def ended(muster: Any, task: str, state: str) -> dict[str, Any]:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        shown: dict[str, Any] = json.loads(muster("task", "show", task, "--json")[1])
        if shown["state"] == state:
            return shown
        time.sleep(0.2)
    raise AssertionError(f"the task is {shown['state']}")


def test_table_is_tried_and_done_and_its_devices_changed(
    muster: Any, profile: str, tmp_path: Path
) -> None:
    some = [new_label() for _ in range(3)]
    for label in some:
        secrecy.hide_label(label.qr_text, label.secret)
    file = tmp_path / "labels.csv"
    rows = ["name,label", *(f"=1+1,{label.qr_text}" for label in some), "x,MUSTER:1:A:B"]
    file.write_text("\n".join(rows))
    code, out, _ = muster("task", "claim", str(file), "--profile", "press", "--json")
    task = json.loads(out)["id"]
    assert ended(muster, task, "looked")["verdicts"] == {"added": 3, "refused": 1}
    looked = muster("task", "show", task)[1]
    assert "3 can be added" in looked and f"muster task start {task}" in looked
    assert muster("task", "start", task)[0] == 0
    assert ended(muster, task, "done")["verdicts"] == {"added": 3, "refused": 1}
    table = muster("task", "show", task, "--csv")[1]
    assert table.count("'=1+1") == 3 and some[0].qr_text[-36:] not in table
    ids = [label.device_id for label in some]
    begun = muster("task", "change", *ids[:2], "--new-group", "hall 3", "--json")[1]
    assert ended(muster, json.loads(begun)["id"], "done")["verdicts"] == {"changed": 2}
    words = ("task", "change", "--group", "hall 3", "--add-tags", "spare, old", "--json")
    assert ended(muster, json.loads(muster(*words)[1])["id"], "done")["total"] == 2
    listed = muster("device", "list", "--tag", "old", "--json")[1]
    assert sorted(d["device_id"] for d in json.loads(listed)["devices"]) == sorted(ids[:2])
    assert muster("task", "list")[1].count("change") == 2
    assert muster("task", "end", task)[0] == 0
    assert muster("task", "show", task)[0] == 1
