# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Can many devices be registered at once, and changed without their secret?"""

import json
from pathlib import Path
from typing import Any

import pytest

from muster_server.label import new_label
from tests import secrecy
from tests.host_server.config_server.field import PROFILE


def labels(number: int) -> list[Any]:
    made = [new_label() for _ in range(number)]
    for label in made:
        secrecy.hide_label(label.qr_text, label.secret)
    return made


@pytest.mark.parametrize(("mark", "delimiter"), [("", ","), ("\ufeff", ";"), ("", "\t")])
def test_table_is_registered_though_a_row_is_bad(
    mark: str, delimiter: str, muster: Any, profile: str, tmp_path: Path
) -> None:
    first, second = labels(2)
    rows = [["name", "label"], ["press 1", first.qr_text], ["bad", first.qr_text[:-2]]]
    rows += [["press 2", second.qr_text]]
    file = tmp_path / "labels.csv"
    file.write_text(mark + "\r\n".join(delimiter.join(row) for row in rows), "utf-8")
    words = ("device", "add", "--csv", str(file), "--profile", "press", "--json")
    for more, said in (
        (("--dry-run",), "would be added"),
        ((), "added"),
        ((), "known"),  # the same call again
    ):
        code, out, _ = muster(*words, *more)
        verdicts = json.loads(out)["devices"]
        assert code == 1
        assert [one["verdict"] for one in verdicts] == [said, "refused", said]
        assert [one["row"] for one in verdicts] == [2, 3, 4]
    shown = json.loads(muster("device", "show", second.device_id, "--json")[1])
    assert shown["name"] == "press 2"


def test_table_without_rows_or_for_no_profile_is_refused(
    muster: Any, profile: str, tmp_path: Path
) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("label\n")
    code, _, err = muster("device", "add", "--csv", str(file), "--profile", "press")
    assert (code, "wanted 1 to 1000 rows" in err) == (2, True)
    file.write_text(labels(1)[0].qr_text)
    code, _, err = muster("device", "add", "--csv", str(file), "--profile", "none")
    assert (code, 'no profile named "none"' in err) == (1, True)


def test_name_and_profile_are_changed_and_nothing_else(
    muster: Any, device_id: str, tmp_path: Path
) -> None:
    file = tmp_path / "other.json"
    file.write_text(json.dumps(PROFILE | {"name": "other"}))
    assert muster("profile", "add", str(file))[0] == 0

    def shown() -> dict[str, Any]:
        document: dict[str, Any] = json.loads(muster("device", "show", device_id, "--json")[1])
        return document

    before = shown()
    assert muster("device", "set", device_id, "--name", "press 7")[0] == 0
    assert (shown()["name"], shown()["profile"]) == ("press 7", "press")
    assert muster("device", "set", device_id, "--profile", "other")[0] == 0
    after = shown()
    assert (after["name"], after["profile"]) == ("press 7", "other")
    assert (after["window"], after["account"]) == (before["window"], before["account"])
    code, _, err = muster("device", "set", device_id, "--profile", "none")
    assert (code, 'no profile named "none"' in err) == (1, True)
    assert muster("device", "set", device_id)[0] == 2
    assert muster("device", "release", device_id)[0] == 0
    assert muster("profile", "delete", "other")[0] == 0


def test_window_is_closed(muster: Any, device_id: str) -> None:
    code, out, _ = muster("device", "close-window", device_id, "--json")
    assert (code, json.loads(out)["window"]["open"]) == (0, False)
