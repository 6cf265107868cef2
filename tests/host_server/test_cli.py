# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the command `muster` promise to people and to scripts?"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from muster_server import cli
from muster_server.command import Command
from muster_server.command_table import COMMANDS
from muster_server.label import new_label, parse_label
from tests.host_server.config_server.field import PROFILE
from tests.host_server.processes import Servers


def test_serve_prints_a_line_per_role_when_it_is_ready(servers: tuple[Servers, Path]) -> None:
    ready = [line.split()[0] for line in servers[0].lines if " ready " in line]
    assert ready == ["platform", "config", "portal"]


def test_first_start_names_the_sealing_key_and_says_where_to_keep_it(
    servers: tuple[Servers, Path],
) -> None:
    running, folder = servers
    (told,) = [line for line in running.lines if line.startswith("sealing key ")]
    assert "apart from the backups of the database" in told
    assert (folder / "data" / "secret.key").read_text().strip() not in told


def test_first_start_keeps_everything_for_the_owner_alone(servers: tuple[Servers, Path]) -> None:
    folder = servers[1]
    assert (folder / "data").stat().st_mode & 0o777 == 0o700
    files = {path.name: path.stat().st_mode & 0o777 for path in (folder / "data").iterdir()}
    assert {"secret.key", "config-token", "platform-token", "admin-token.sha256"} <= set(files)
    assert set(files.values()) == {0o600}
    assert (folder / "token").stat().st_mode & 0o777 == 0o600


def test_device_is_registered_from_its_label(muster: Any, profile: str) -> None:
    code, out, _ = muster("label", "new", "--json")
    label = json.loads(out)["label"]
    code, out, err = muster(
        "device", "add", "-", "--profile", "press", "--name", "press 4", stdin=label + "\n"
    )
    assert (code, err) == (0, "")
    lines = out.splitlines()
    steps = [line for line in lines if line[0].isdigit() and line[1:3] == "  "]
    assert [line[0] for line in steps] == [str(n) for n in range(1, 10)]
    assert "runs            nothing" in lines
    assert steps[0].split()[-3:-1] == ["ok", "0"]
    device_id = parse_label(label).device_id
    assert device_id in muster("device", "list")[1]
    shown = json.loads(muster("device", "show", device_id, "--json")[1])
    assert (shown["state"], shown["last"]) == ("prepared", None)
    assert muster("device", "open", device_id)[0] == 0
    assert muster("device", "release", device_id)[0] == 0
    assert muster("device", "show", device_id)[0] == 1


def test_mistyped_label_is_refused_with_the_reason(muster: Any, profile: str) -> None:
    label = new_label().qr_text
    wrong = label[:-1] + ("A" if label[-1] != "A" else "B")
    code, out, err = muster("device", "add", wrong, "--profile", "press")
    assert (code, out) == (1, "")
    assert "mistyped" in err
    assert label[-30:-4] not in err


def test_profile_can_be_listed_and_shown_without_its_password(muster: Any, profile: str) -> None:
    assert muster("profile", "list")[1] == "press\n"
    out = muster("profile", "show", "press")[1]
    assert json.loads(out)["networks"][0]["psk_set"] is True
    assert "correct horse" not in out
    code, _, err = muster("profile", "add", profile)
    assert code == 1
    assert "already" in err


def test_account_is_replaced(muster: Any, device_id: str) -> None:
    def account() -> Any:
        return json.loads(muster("device", "show", device_id, "--json")[1])["account"]

    before = account()
    assert muster("device", "new-account", device_id)[0] == 0
    assert account() != before


def test_handing_over_says_what_is_left_to_do(muster: Any, device_id: str) -> None:
    code, out, _ = muster("device", "hand-over", device_id)
    first, *to_do = out.splitlines()
    assert (code, first) == (0, f"{device_id} is not yours any more. What is left to do:")
    assert [line[:3] for line in to_do] == [f"{n}. " for n in range(1, len(to_do) + 1)]
    assert "15 s" in to_do[0]
    assert "label reissue" in to_do[1]
    assert muster("device", "show", device_id)[0] == 1


def test_profile_in_use_is_not_deleted(muster: Any, device_id: str, tmp_path: Path) -> None:
    code, _, err = muster("profile", "delete", "press")
    assert code == 1
    found = re.search(r"in use, by (\d+) of your devices \(([^)]+)\)", err)
    assert found, err
    named = found[2].split(", ")
    listed = muster("device", "list")[1]
    assert int(found[1]) == len(listed.splitlines()) - 1  # a header
    assert set(named) - {"…"} <= set(listed.split())
    assert device_id in named or named[-1] == "…"
    spare = tmp_path / "spare.json"
    spare.write_text(json.dumps(PROFILE | {"name": "spare"}))
    assert muster("profile", "add", str(spare))[0] == 0
    assert muster("profile", "delete", "spare")[1] == 'profile "spare" is gone\n'


def test_wrong_profile_names_its_field(muster: Any, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(PROFILE | {"country": "x"}))
    code, _, err = muster("profile", "add", str(file), "--replace")
    assert code == 2
    assert "country: wanted two capital letters" in err


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": 5}'])
def test_file_that_is_no_profile_is_a_matter_of_usage(
    muster: Any, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(text)
    code, _, err = muster("profile", "add", str(file))
    assert code == 2
    assert "wrong.json" in err
    assert muster("profile", "add", str(tmp_path / "none.json"))[0] == 2


def test_vendors_list_is_imported_with_a_verdict_for_each(muster: Any, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    good = [new_label().qr_text for _ in range(2)]
    file.write_text("serial,label\n1," + good[0] + "\n2," + good[1] + "\n")
    code, out, _ = muster("device", "import", str(file))
    assert (code, out.count("added")) == (0, 2)
    code, out, _ = muster("device", "import", "-", stdin=good[0] + "\n" + good[1][:-1] + "\n")
    assert (code, out.count("known"), out.count("refused")) == (1, 1, 1)


# what scripts can rely on


def test_unreachable_portal_is_exit_code_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_TOKEN", "t" * 40)
    assert cli.main(["device", "list", "--portal", "http://127.0.0.1:9"]) == 3
    assert "t" * 40 not in capsys.readouterr().err


def test_wrong_server_is_named_as_such(
    servers: tuple[Servers, Path], muster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = servers[0].urls["platform"]
    monkeypatch.setenv("MUSTER_PORTAL_URL", url)
    code, out, err = muster("device", "list")
    assert (code, out) == (3, "")
    assert f"{url} answered as no portal does" in err


def test_missing_and_wrong_token_are_exit_code_4(
    muster: Any, servers: tuple[Servers, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["device", "list"]) == 4
    monkeypatch.setenv("MUSTER_TOKEN", "t" * 40)
    assert cli.main(["device", "list"]) == 4


@pytest.mark.parametrize(
    "words",
    [
        ["device", "list", "--portal", "http://portal.example"],
        ["device", "list", "--portal", "nonsense"],
        ["device", "list", "--token-file", "/no/such/file"],
        ["device", "list", "--ca-file", "/no/such/file"],
        ["serve", "--portal-listen", "nonsense"],
    ],
)
def test_wrong_option_is_exit_code_2(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_TOKEN", "t" * 40)
    assert cli.main(words) == 2
    assert "--" in capsys.readouterr().err


def test_token_that_cannot_be_one_is_refused_without_being_repeated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_TOKEN", "geheim-ключ-" * 4)
    assert cli.main(["device", "list"]) == 2
    err = capsys.readouterr().err
    assert "MUSTER_TOKEN: wanted 32 to 128 characters" in err
    assert "geheim" not in err


def test_certificates_that_cannot_be_written_are_a_matter_of_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert cli.main(["certs", "dev", "--out", str(file)]) == 2
    assert f"--out: {file}: wanted a folder, and a file is there" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["nonsense"], ["device"], ["device", "add"]])
def test_command_that_is_none_is_exit_code_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    capsys.readouterr()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_every_command_has_help_with_examples(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([*command.words, "--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0
    assert "examples:" in out
    assert "muster " + " ".join(command.words) in out


def test_exit_codes_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    out = capsys.readouterr().out
    for code in (cli.OK, cli.REFUSED, cli.USAGE, cli.UNREACHABLE, cli.UNAUTHORIZED):
        assert f"\n  {code}  " in out


def test_new_label_shows_text_and_qr_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["label", "new", "--id", "press-4"]) == 0
    out = capsys.readouterr().out
    label = parse_label(out.rsplit(maxsplit=1)[-1])
    assert label.device_id == "PRESS-4"
    assert label.grouped in out
    assert label.setup_passphrase in out
    assert "▄" in out


def test_label_with_an_id_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["label", "new", "--id", "a b"]) == 1
    assert "1 to 32 characters" in capsys.readouterr().err
