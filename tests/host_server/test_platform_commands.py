# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does `muster platform check` say what a platform can, and leave nothing behind?"""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from muster_server import cli
from muster_server.platform_server.app import create_app
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore
from muster_server.tokens import new_token, token_hash
from tests.host_server.serving import served

TOKEN = new_token()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PlatformStore]:
    engine = open_engine(database_url(tmp_path, "platform"))
    migrate(engine, "muster_server.platform_server", HEAD)
    yield PlatformStore(engine)
    engine.dispose()


@pytest.fixture
def url(store: PlatformStore) -> Iterator[str]:
    with served(create_app(store, lambda: frozenset({token_hash(TOKEN)}))) as url:
        yield url


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "platform-token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return str(path)


def verdicts(out: str) -> dict[str, str]:
    return {found["feature"]: found["verdict"] for found in json.loads(out)["findings"]}


def test_own_platform_can_all_that_devices_need(
    url: str, store: PlatformStore, token_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["platform", "check", url, "--platform-token-file", token_file]
    assert cli.main([*words, "--json"]) == 0
    out = capsys.readouterr().out
    answer = json.loads(out)
    assert answer["left"] == []
    assert TOKEN not in out
    assert all(found["verdict"] == "yes" for found in answer["findings"] if found["is_needed"])
    assert verdicts(out)["readings are private"] == "yes"
    with store.transaction() as rows:
        assert [resource.ri for resource in rows.under("cse-in", 10)] == []
        assert rows.accounts("", 10) == []
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert 'profile: "platform": {"url": "' + url in said


def test_platform_that_wants_a_token_lets_nobody_register(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["platform", "check", url]) == 1
    assert "RSC 4107" in capsys.readouterr().out


def test_wrong_token_is_named_and_not_shown(
    url: str, token_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = new_token()
    Path(token_file).write_text(wrong)
    assert cli.main(["platform", "check", url, "--platform-token-file", token_file]) == 3
    said = capsys.readouterr()
    assert "administrator's token?" in said.err
    assert wrong not in said.out + said.err


def test_token_does_not_travel_in_the_clear(
    token_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    there = "http://192.0.2.1:8422"
    assert cli.main(["platform", "check", there, "--platform-token-file", token_file]) == 2
    assert "in the clear" in capsys.readouterr().err


def test_what_is_no_platform_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"hi")

        def log_message(self, *ignored: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        port = server.server_address[1]
        assert cli.main(["platform", "check", f"http://127.0.0.1:{port}"]) == 1
    finally:
        server.shutdown()
        server.server_close()
    assert "not in oneM2M's form" in capsys.readouterr().out


@pytest.mark.parametrize(("url", "code"), [("ftp://x", 2), ("http://127.0.0.1:9", 3)])
def test_what_cannot_be_asked_is_an_error(url: str, code: int) -> None:
    assert cli.main(["platform", "check", url]) == code
