# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do the commands for versions of profiles say what there is, and no password?"""

import json
from pathlib import Path
from typing import Any


def numbers(muster: Any) -> list[int]:
    found = json.loads(muster("profile", "versions", "press", "--json")[1])
    return [version["number"] for version in found["versions"]]


def draft(muster: Any, profile: str, **changes: Any) -> int:
    """Keep a version of the profile "press" with these changes, which is not in force."""
    document = json.loads(Path(profile).read_text()) | changes
    file = Path(profile).with_name("changed.json")
    file.write_text(json.dumps(document))
    code, out, err = muster("profile", "draft", str(file), "--json")
    assert code == 0, err
    return int(json.loads(out)["number"])


def test_versions_are_kept_compared_previewed_and_used(
    muster: Any, profile: str, device_id: str
) -> None:
    before = json.loads(muster("profile", "versions", "press", "--json")[1])["current"]
    networks = [{"ssid": "factory", "psk": "another password"}]
    number = draft(muster, profile, networks=networks, app={"every_s": 5})
    assert number in numbers(muster)
    listed = muster("profile", "versions", "press")[1]
    assert "in force" in listed and "--behind" in listed  # the new device has proved nothing
    assert device_id in muster("device", "list", "--profile", "press", "--behind")[1]
    assert muster("device", "list", "--behind")[0] == 2
    differences = muster("profile", "diff", "press", str(number), str(before))[1]
    assert "networks[0].psk  differs, and is not shown" in differences
    assert "app.every_s  5 -> null" in differences and "another" not in differences
    assert "app.every_s" in muster("profile", "diff", "press", str(number))[1]
    same = muster("profile", "diff", "press", str(number), str(number))[1]
    assert "say the same" in same
    itself = muster("profile", "diff", "press", str(before))[1]
    assert f"version {before} is in force; name another one" in itself
    assert "old: wanted at least 1, got less" in muster("profile", "diff", "press", "0")[2]
    previewed = muster("profile", "preview", "press", str(number), device_id)[1]
    assert json.loads(previewed)["app"] == {"every_s": 5}
    assert "another password" not in previewed
    code, out, _ = muster("profile", "use", "press", str(number))
    assert (code, f"version {number}" in out) == (0, True)
    assert muster("profile", "use", "press", str(before))[0] == 0
    assert muster("profile", "use", "press", "999")[0] == 1


def test_file_that_is_no_profile_is_refused_before_anybody_is_asked(
    muster: Any, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"name": "press", "contry": "DE"}')
    code, _, err = muster("profile", "draft", str(file))
    assert code == 2 and 'did you mean "country"' in err
