# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Can people write profiles, and change them, without losing a password or a word?"""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from muster_server import cli
from muster_server.api import profiles as schema
from muster_server.platform_trial import reach_of
from muster_server.profile_fields import FIELDS, KNOWN
from muster_server.profile_file import parse_profile, problems_of, template
from tests.host_server.config_server.field import PROFILE
from tests.host_server.processes import Servers

CA = "platform.ca"


def paths_of(model: Any, prefix: str = "") -> set[str]:
    return {f"{prefix}{name}" for name in model.model_fields}


def test_table_of_fields_is_that_of_the_schema() -> None:
    said = (
        paths_of(schema.Profile)
        | paths_of(schema.GivenNetwork, "networks[].")
        | paths_of(schema.KeptNetwork, "networks[].")
        | paths_of(schema.StaticAddress, "networks[].ip.")
        | paths_of(schema.Platform, "platform.")
        | paths_of(schema.Policy, "policy.")
    )
    assert said == KNOWN - {"networks[].open"}


def test_template_lacks_only_what_nobody_can_know() -> None:
    document = parse_profile(template("press"))
    assert {problem.path for problem in problems_of(document)} == {"networks[0].psk", CA}
    document["networks"][0]["psk"] = "correct horse"
    document["platform"]["url"] = "http://m2m.example"
    assert problems_of(document) == []


def test_every_line_of_the_template_is_toml_when_its_mark_is_taken_away() -> None:
    for line in template("press").splitlines()[1:]:
        if re.match(r"# [a-z_0-9\[]+( =|\])", line):
            tomllib.loads(line[2:])


@pytest.mark.parametrize(
    "field", [f for f in FIELDS if f.about and f.path != "networks[].open"], ids=lambda f: f.path
)
def test_every_example_is_right(field: Any) -> None:
    document: dict[str, Any] = json.loads(json.dumps(PROFILE))
    place = document
    *outer, last = field.path.split(".")
    for name in outer:
        place = place[name[:-2]][0] if name.endswith("[]") else place.setdefault(name, {})
    if last == "ssid_b64":
        del place["ssid"]
    place[last] = field.example
    wrong = [problem.path for problem in problems_of(document)]
    assert wrong == ([CA] if field.path == CA else [])  # there a certificate is shortened


def changed(**changes: Any) -> dict[str, Any]:
    """The profile with other values; "__" stands for a dot."""
    document: dict[str, Any] = json.loads(json.dumps(PROFILE))
    for path, value in changes.items():
        *outer, last = path.split("__")
        place: Any = document
        for name in outer:
            place = place[name][0] if name == "networks" else place.setdefault(name, {})
        place[last] = value
    return document


# (what is in the file, what has to be said of it)
WRONG_FILES = {
    "an empty file": ("", "the file is empty; try: muster profile new"),
    "JSON that ends early": ('{"name": "press"', r"not JSON: .* \(line 1, column 17\)"),
    "JSON with a comma too many": ('{"name": "press",\n}', r"not JSON: .* \(line 2, column 1\)"),
    "TOML without quotation marks": ("name = press", "not TOML: .*line 1"),
    "TOML with a field twice": ('name = "a"\nname = "b"', "not TOML: "),
    "a date": ("name = 2026-01-01", "dates and times stand in no profile"),
    "a number that is none": ("app = { x = nan }", "app.x: wanted a finite number|not JSON"),
    "an unknown field": (changed(contry="DE"), 'contry: no such field; did you mean "country"?'),
    "a field in the wrong place": (changed(cse="x"), 'cse: .*did you mean "platform.cse"'),
    "an unknown field of a network": (
        changed(networks__password="geheim-geheim"),
        r"networks\[0\].password: no such field",
    ),
    "a short password": (
        changed(networks__psk="geheim"),
        r'networks\[0\].psk: wanted 8 to 63 .*; e.g. psk = "correct horse battery"',
    ),
    "a long name of a network": (changed(networks__ssid="x" * 33), "wanted 1 to 32 bytes, got 33"),
    "no network": (changed(networks=[]), "networks: wanted 1 to 4 items, got 0"),
    "a country in words": (changed(country="Germany"), 'country: .*; e.g. country = "DE"'),
    "a name with a blank": (changed(name="my press"), 'name: wanted a-z.*; e.g. name = "press"'),
    "another kind of URL": (changed(platform__url="ftp://m2m.example"), "platform.url: wanted"),
    "an id that begins otherwise": (changed(platform__api="org.x"), "platform.api: wanted N or R"),
    "a wrong release": (changed(platform__rvi="9"), "platform.rvi: wanted one of 2a, 3, 4, 5"),
    "no certificate": (changed(platform__ca="x"), "platform.ca: not base64; e.g."),
    "text for a number": (changed(policy__sync_s="1 h"), "policy.sync_s: wanted an integer"),
    "a list for settings": (changed(app=[]), "app: wanted an object, got a list"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_wrong_file_is_told_in_a_sentence(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, said = WRONG_FILES[case]
    file = tmp_path / "press.toml"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    assert cli.main(["profile", "check", "--offline", str(file)]) in (1, 2)
    text = "".join(capsys.readouterr())
    assert re.search(said.replace("?", r"\?"), text), text
    assert "geheim" not in text
    assert "Traceback" not in text


def test_everything_that_is_wrong_is_said_at_once() -> None:
    document = changed(country="x", networks__psk="x", platform__url="x", policy__sync_s="x")
    document["nmae"] = document.pop("name")
    paths = {problem.path for problem in problems_of(document)}
    assert paths == {
        *("nmae", "name", "country", "networks[0].psk", "platform.url", "policy.sync_s"),
    }


def test_open_network_can_be_said_in_toml() -> None:
    document = parse_profile('[[networks]]\nssid = "guest"\nopen = true\n')
    assert document["networks"] == [{"ssid": "guest", "psk": None}]


def test_template_is_written_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["profile", "new", "press"]) == 0
    assert (tmp_path / "press.toml").stat().st_mode & 0o777 == 0o600
    assert cli.main(["profile", "new", "press"]) == 2
    assert "is there already, and stays as it is" in capsys.readouterr().err


def test_one_field_is_set_and_the_password_stays(muster: Any, profile: str) -> None:
    assert muster("profile", "set", "press", "policy.sync_s", "600")[::2] == (0, "")
    shown = json.loads(muster("profile", "show", "press")[1])
    assert (shown["policy"]["sync_s"], shown["networks"][0]["psk_set"]) == (600, True)
    code, _, err = muster("profile", "set", "press", "networks[0].psk", "geheim-geheim")
    assert (code, "geheim" in err) == (2, False)
    assert "can be read by others" in err
    words = ("profile", "set", "press", "networks[0].psk", "-")
    assert muster(*words, stdin="battery staple\n")[0] == 0
    code, _, err = muster(*words, stdin="short\n")
    assert (code, "8 to 63" in err) == (2, True)
    assert 'did you mean "country"' in muster("profile", "set", "press", "contry", "DE")[2]
    assert muster("profile", "set", "press", "networks[7].ssid", "x")[0] == 2


def editor(tmp_path: Path, code: str) -> str:
    """A program that does this with the file, as an editor would."""
    file = tmp_path / "editor.py"
    file.write_text(f"import pathlib, sys\npath = pathlib.Path(sys.argv[1])\n{code}\n")
    return f"{sys.executable} {file}"


def test_edited_profile_keeps_its_password(
    muster: Any, profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "path.write_text(path.read_text().replace('\"DE\"', '\"FR\"'))"
    monkeypatch.setenv("VISUAL", editor(tmp_path, code))
    assert muster("profile", "edit", "press", "--offline")[1] == 'profile "press" is changed\n'
    shown = json.loads(muster("profile", "show", "press")[1])
    assert (shown["country"], shown["networks"][0]["psk_set"]) == ("FR", True)
    monkeypatch.setenv("VISUAL", editor(tmp_path, ""))
    assert muster("profile", "edit", "press")[1] == "nothing was changed\n"


RUBBISH = {
    "no JSON": ('path.write_text("{ rubbish")', "not JSON"),
    "no text": ('path.write_bytes(b"\\xff\\xfe")', "not text in UTF-8"),
    "nothing": ('path.write_text("")', "the file is empty"),
    "no file": ("path.unlink()", "left no file"),
    "another name": (
        'path.write_text(path.read_text().replace("press", "other"))',
        'it stays "press"',
    ),
    "an end in failure": ('path.write_text("{}"); sys.exit(3)', "exit code 3"),
}


@pytest.mark.parametrize("case", RUBBISH)
def test_editor_that_saves_rubbish_loses_nothing(
    case: str, muster: Any, profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = muster("profile", "show", "press")[1]
    code, said = RUBBISH[case]
    monkeypatch.setenv("VISUAL", editor(tmp_path, code))
    monkeypatch.chdir(tmp_path)
    number, _, err = muster("profile", "edit", "press")
    assert (number, said in err) == (2, True), err
    assert "The profile is as it was" in err
    assert muster("profile", "show", "press")[1] == before
    assert (tmp_path / "press.rejected.json").exists() is (case != "no file")


def test_wrong_cse_is_said_when_the_profile_is_made(
    muster: Any, servers: tuple[Servers, Path], tmp_path: Path
) -> None:
    file = tmp_path / "press.json"
    platform = {"url": servers[0].urls["platform"], "insecure": True}
    file.write_text(json.dumps(PROFILE | {"name": "cse", "platform": platform | {"cse": "no-in"}}))
    code, _, err = muster("profile", "add", str(file))
    assert code == 2
    assert re.search('platform.cse: the CSE of the platform at .* is "cse-in"', err)
    code, _, said = muster("profile", "add", str(file), "--offline")
    assert (code, 'platform.cse: the CSE of this platform is "cse-in"' in said) == (1, True)
    assert "no board can reach it" in err
    file.write_text(json.dumps(PROFILE | {"name": "cse", "platform": platform}))
    assert muster("profile", "add", str(file))[0] == 0
    file.write_text(json.dumps(PROFILE | {"name": "cse", "platform": platform | {
        "url": servers[0].urls["portal"]}}))  # fmt: skip
    code, _, err = muster("profile", "add", str(file), "--replace")
    assert muster("profile", "delete", "cse")[0] == 0
    assert (code, "not as a oneM2M platform" in err) == (2, True)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:8422", "this machine alone"),
        ("http://localhost:8422", "this machine alone"),
        ("http://platform:8422", "only this machine or its containers know"),
        ("https://m2m.example:8422", None),
        ("http://192.168.1.10:8422", None),
    ],
)
def test_address_that_no_board_reaches_is_recognised(url: str, said: str | None) -> None:
    found = reach_of(url)
    assert found is None if said is None else said in (found or "")


def test_no_message_names_a_verb_of_http(muster: Any, profile: str) -> None:
    err = muster("profile", "add", profile)[2]
    assert not re.search(r"\b(PUT|POST|GET|PATCH|DELETE)\b", err)
