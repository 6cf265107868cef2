# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Can many devices be registered at once, and changed without their secret?"""

import json
from pathlib import Path
from typing import Any

import pytest

from muster_server import bulk_commands, commands
from muster_server.errors import ServiceUnreachable
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
    assert (code, "wanted 1 to 100000 rows" in err) == (2, True)
    file.write_text(labels(1)[0].qr_text)
    code, _, err = muster("device", "add", "--csv", str(file), "--profile", "none")
    assert (code, 'no profile named "none"' in err) == (1, True)


def spoilt(text: str) -> list[str]:
    """Ten rows with ten mistakes that people, spreadsheets and scanners make in a label."""
    other = "A" if text[-1] != "A" else "C"
    return [
        f"a;{text[:-2]}",  # cut off
        f"b;{text[:-1]}{other}",  # a character wrong
        "c;https://shop.example/press",  # another code on the box
        f"d;{text.replace(':1:', ':2:')}",  # of a kind of tomorrow
        f"e;{text.replace('M-', 'm_')}",  # an id that cannot be
        "f;",  # an empty cell
        f"g;{text[:-20]}0{text[-19:]}",  # 0 for O
        f"h;MUSTER:1::{text[-36:]}",  # the id is missing
        f"i;{text}AAAA",  # more than there is
        f"{'j' * 65};{text}",  # a name that is too long
    ]


def test_many_rows_with_ten_kinds_of_mistakes(muster: Any, profile: str, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    rows = ["name;label"]
    for number, label in enumerate(labels(300)):
        is_bad = number % 10 == 5
        rows.append(spoilt(label.qr_text)[number // 10 % 10] if is_bad else f"n;{label.qr_text}")
    file.write_text("\ufeff" + "\r\n".join(rows) + "\r\n", "utf-8")
    words = ("device", "add", "--csv", str(file), "--profile", "press")
    for more, said in ((("--dry-run",), "would be added"), ((), "added"), ((), "known")):
        code, out, _ = muster(*words, *more)
        assert code == 1
        assert out.splitlines()[-1] == f"270 {said}, 30 refused"
        bad = [line for line in out.splitlines() if " refused  " in line]
        assert [int(line.split()[1]) for line in bad] == list(range(7, 302, 10))
        assert not any(label[-36:] in out for label in rows[1:])


def test_call_that_is_cut_off_says_how_far_it_came_and_goes_on_there(
    muster: Any, profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("\n".join(label.qr_text for label in labels(450)))
    words = ("device", "add", "--csv", str(file), "--profile", "press")
    true, calls = commands.at_portal, []

    def breaks(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:  # the profile, a lot, and this one
            raise ServiceUnreachable("the portal did not answer")
        return true(*arguments)

    monkeypatch.setattr(bulk_commands, "at_portal", breaks)
    code, out, err = muster(*words)
    assert code != 0
    assert "200 of 450 labels were registered; the same call goes on there" in err
    assert out.splitlines()[-1] == "200 added"
    code, out, _ = muster(*words)
    assert (code, out.splitlines()[-1]) == (0, "200 known, 250 added")


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
