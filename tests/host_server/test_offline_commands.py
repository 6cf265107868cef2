# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do the commands of the offline flow promise?"""

import json
from pathlib import Path
from typing import Any

import pytest

from muster_server.api.bodies import NewBundle
from muster_server.api.bounds import BUNDLE_LIFE_S
from muster_server.api.reading import checked
from muster_server.errors import Invalid


def test_bundle_is_made_shown_and_checked(muster: Any, device_id: str, tmp_path: Path) -> None:
    file = tmp_path / "made.muster"
    code, out, _ = muster("bundle", "make", device_id, "--expires", "30d", "--out", str(file))
    assert code == 0
    assert out.startswith(f"version 1 for {device_id}, until ")
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text().strip()
    assert text.count(".") == 4
    assert "handed out; no receipt yet" in muster("bundle", "show", device_id)[1]
    code, out, _ = muster("bundle", "check", "-", stdin=text)
    assert (code, out.split()[:3]) == (0, [device_id, "version", "1"])
    code, _, err = muster("bundle", "check", "-", stdin=text[:-9])
    assert code == 1
    assert text not in err + muster("device", "show", device_id)[1]


def test_bundle_is_shown_as_it_is_when_it_has_been_handed_out(
    muster: Any, device_id: str, tmp_path: Path
) -> None:
    out = muster("bundle", "make", device_id, "--text", "--json")[1]
    assert json.loads(out)["state"] == "handed_out"
    assert json.loads(out)["handed_out_at"] is not None


def test_bundle_can_be_got_again_without_a_new_version(
    muster: Any, device_id: str, tmp_path: Path
) -> None:
    text = muster("bundle", "make", device_id, "--text")[1]
    file = tmp_path / "again.muster"
    code, out, _ = muster("bundle", "get", device_id, str(file))
    assert (code, file.read_text()) == (0, text)
    assert out.startswith(f"version 1 for {device_id}: {file}")
    assert muster("bundle", "get", device_id, "--text")[1] == text
    image = tmp_path / "code.svg"
    assert muster("bundle", "get", device_id, str(image))[0] == 0
    assert image.read_text().startswith("<?xml")
    code, _, err = muster("bundle", "get", device_id, str(tmp_path))
    assert (code, err.startswith(f"muster: file: {tmp_path}: ")) == (2, True)
    assert len(json.loads(muster("bundle", "show", device_id, "--json")[1])["bundles"]) == 1


def test_bundle_without_wifi_is_made_where_the_profile_allows_it(
    muster: Any, device_id: str, tmp_path: Path
) -> None:
    file = tmp_path / "made.muster"
    make = ("bundle", "make", device_id, "--without-wifi", "--out", str(file))
    code, _, err = muster(*make)
    assert code != 0 and "set policy.local_wifi to true" in err
    assert not file.exists()
    assert muster("profile", "set", "press", "policy.local_wifi", "true")[0] == 0
    code, out, _ = muster(*make)
    assert (code, "setup page asks for one" in out) == (0, True)
    assert file.read_text().count(".") == 4


def test_bundle_that_is_superseded_is_exit_code_1(muster: Any, device_id: str) -> None:
    older = muster("bundle", "make", device_id, "--text")[1]
    muster("bundle", "make", device_id, "--text")
    code, out, _ = muster("bundle", "check", "-", stdin=older)
    assert (code, "superseded by a newer configuration" in out) == (1, True)
    code, out, _ = muster("bundle", "check", "-", "--json", stdin=older)
    assert (code, json.loads(out)["state"]) == (1, "superseded")


def test_bundle_can_be_pasted_or_scanned(muster: Any, device_id: str, tmp_path: Path) -> None:
    assert muster("bundle", "make", device_id, "--text")[1].count(".") == 4
    image = tmp_path / "code.svg"
    out = muster("bundle", "make", device_id, "--out", str(image), "--json")[1]
    assert json.loads(out)["files"] == [str(image)]
    assert image.read_text().startswith("<?xml")


@pytest.mark.parametrize("name", ["made.muster", "made.svg", "made.png"])
def test_bundle_is_private_even_in_place_of_a_public_file(
    muster: Any, device_id: str, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    file.write_text("former")
    file.chmod(0o644)
    assert muster("bundle", "make", device_id, "--out", str(file))[0] == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes() != b"former"
    assert list(tmp_path.glob(".muster-*")) == []


@pytest.mark.parametrize("place", ["missing/made.muster", "missing/made.svg", "."])
def test_no_version_is_spent_on_a_bundle_that_cannot_be_written(
    muster: Any, device_id: str, tmp_path: Path, place: str
) -> None:
    code, _, err = muster("bundle", "make", device_id, "--out", str(tmp_path / place))
    assert (code, "--out: " in err) == (2, True)
    assert json.loads(muster("bundle", "show", device_id, "--json")[1]) == {"bundles": []}


@pytest.mark.parametrize(
    ("life", "wanted"),
    [(life, '"30d"') for life in ("never", "0d", "30", "1w")]
    + [(life, "wanted 1m to 3650d") for life in ("5s", "59s", "3651d", "999999d")],
)
def test_expiry_that_is_none_is_refused(muster: Any, life: str, wanted: str) -> None:
    code, _, err = muster("bundle", "make", "PRESS-4", "--expires", life)
    assert code == 2
    assert err.startswith("muster: --expires: ")
    assert wanted in err


def test_lives_of_bundles_are_those_of_the_portal() -> None:
    shortest, longest = BUNDLE_LIFE_S
    for life_s in (shortest, longest):
        assert checked(NewBundle, {"life_s": life_s}).life_s == life_s
    for life_s in (shortest - 1, longest + 1):
        with pytest.raises(Invalid):
            checked(NewBundle, {"life_s": life_s})


def test_receipt_is_checked(muster: Any, device_id: str) -> None:
    text = muster("bundle", "make", device_id, "--text")[1].strip()
    code, _, err = muster("receipt", "check", device_id, "AAAA", "AAAA")
    assert code == 1
    assert "compare the eight characters" in err
    assert text not in err


def test_timeline_is_told_line_by_line(muster: Any, device_id: str) -> None:
    code, out, err = muster("timeline", device_id)
    assert (code, err) == (0, "")
    words = [line[12:] for line in out.splitlines()[1:]]
    assert any("the device was registered by its label" in line for line in words)
    assert any(line.startswith("platform  9  the account was made") for line in words)
    entries = json.loads(muster("timeline", device_id, "--json")[1])["entries"]
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    assert {entry["source"] for entry in entries} == {"portal", "config", "platform"}
