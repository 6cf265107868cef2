# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the configuration server promise over HTTP?"""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from muster_server.config_server.app import create_app
from muster_server.config_server.noise import Exchange
from muster_server.config_server.recognition import Stranger
from muster_server.errors import StoreError
from muster_server.label import Label, new_label
from muster_server.store.config import ConfigStore
from muster_server.store.config_tables import HEAD, metadata
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.secrets import SecretBox
from muster_server.tokens import new_token, token_hash
from tests.host_server.config_server.field import (
    PROFILE,
    Device,
    FakePlatform,
    FakePlatforms,
    Field,
)
from tests.host_server.serving import served
from tests.wire.syncs import BLANK

TOKEN = new_token()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    engine = open_engine(database_url(Path(tmp_path_factory.mktemp("data")), "config"))
    migrate(engine, "muster_server.config_server", HEAD)
    platform = FakePlatform()
    app = create_app(
        engine,
        SecretBox(bytes(32)),
        accepted_hashes=lambda: frozenset({token_hash(TOKEN)}),
        platforms=FakePlatforms(platform),
        public_url="http://127.0.0.1:8421",
    )
    with served(app) as url:
        answer = call("POST", url + "/v1/profiles", PROFILE)
        assert answer.status_code == 201
        yield url
    engine.dispose()


def call(method: str, url: str, body: Any = None, token: str = TOKEN) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, url, json=body, headers=headers, timeout=5)


def post(url: str, message: bytes, device_id: str = "PRESS-4", k: str = "label") -> Any:
    address = f"{url}/v1/devices/{device_id}/sync?k={k}"
    headers = {"Content-Type": "application/octet-stream"}
    return requests.post(address, data=message, headers=headers, timeout=5)


def registered(url: str) -> Label:
    label = new_label()
    body = {"label": label.qr_text, "profile": "press", "name": "press 4"}
    assert call("POST", url + "/v1/devices?owner=admin", body).status_code == 201
    return label


def test_registered_device_syncs(url: str) -> None:
    label = registered(url)
    noise, message = Device(None, label).sealed("label", BLANK)  # type: ignore[arg-type]
    answer = post(url, message, label.device_id)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/octet-stream"
    directive = json.loads(noise.read_message(answer.content))
    assert directive["config"]["networks"][0]["ssid"] == "factory"


def test_headers_of_an_answer_are_few(url: str) -> None:
    label = registered(url)
    message = Device(None, label).sealed("label", BLANK)[1]  # type: ignore[arg-type]
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    path = f"/v1/devices/{label.device_id}/sync?k=label"
    connection.request("POST", path, message, {"Connection": "close"})
    answer = connection.getresponse()
    names = {name.lower() for name, _ in answer.getheaders()}
    assert names == {"content-length", "content-type", "connection"}
    connection.close()


def test_unknown_device_and_wrong_secret_get_one_and_the_same_answer(url: str) -> None:
    label = registered(url)
    unknown = post(url, bytes(100), "NOBODY-1")
    wrong = post(url, bytes(100), label.device_id)
    assert (unknown.status_code, unknown.json()["code"]) == (403, "not_recognised")
    assert (wrong.content, dict(wrong.headers)) == (unknown.content, dict(unknown.headers))
    assert unknown.headers["Content-Type"] == "application/problem+json"


def test_refusal_waits_for_its_moment_in_no_thread_that_serves_devices(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, str] = {}

    def noting(name: str, deed: Callable[..., Any]) -> Callable[..., Any]:
        def do(*arguments: Any) -> Any:
            threads[name] = threading.current_thread().name
            return deed(*arguments)

        return do

    monkeypatch.setattr(Stranger, "wait", noting("wait", Stranger.wait))
    monkeypatch.setattr(Exchange, "opened", noting("look", Exchange.opened))
    assert post(url, bytes(48)).status_code == 403
    assert len(set(threads.values())) == 2


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        (b"", 400, "malformed"),
        (bytes(47), 400, "malformed"),
        (bytes(8192), 403, "not_recognised"),
        (bytes(8193), 413, "too_large"),
    ],
)
def test_length_is_checked_first(url: str, message: bytes, status: int, code: str) -> None:
    answer = post(url, message)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_oversize_body_is_refused_before_it_has_come(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        head = (
            "POST /v1/devices/A/sync?k=label HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n"
        )
        connection.sendall(head.encode() + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_oversize_body_without_a_length_is_refused(url: str) -> None:
    def parts() -> Iterator[bytes]:
        yield from [bytes(1000)] * 20

    answer = requests.post(url + "/v1/devices/A/sync?k=label", data=parts(), timeout=5)
    assert answer.status_code == 413


def test_wrong_k_is_malformed(url: str) -> None:
    answer = post(url, bytes(48), k="other")
    assert (answer.status_code, answer.json()["path"]) == (400, "k")


@pytest.mark.parametrize("path", ["/v1/profiles", "/v1/devices?owner=admin", "/v1/devices/A"])
def test_api_is_for_holders_of_a_token(url: str, path: str) -> None:
    for token in ("", "wrong", new_token()):
        answer = call("GET", url + path, token=token)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert requests.get(url + path, timeout=5).status_code == 401


def test_wrong_profile_names_its_field_and_does_not_repeat_the_password(url: str) -> None:
    wrong = PROFILE | {"name": "other", "networks": [{"ssid": "factory", "psk": "hunter2"}]}
    answer = call("POST", url + "/v1/profiles", wrong)
    assert (answer.status_code, answer.json()["path"]) == (422, "networks[0].psk")
    assert "hunter2" not in answer.text


def test_body_that_is_not_json_is_refused(url: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = requests.post(url + "/v1/profiles", data=b"{", headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["detail"]) == (422, "not JSON")


def test_no_secret_can_be_read_back(url: str) -> None:
    label = registered(url)
    paths = ("/v1/profiles/press", f"/v1/devices/{label.device_id}?owner=admin")
    texts = [call("GET", url + path).text for path in (*paths, "/v1/devices?owner=admin")]
    assert "factory" in texts[0]
    assert label.device_id in texts[1]
    for secret in ("correct horse", label.grouped.replace(" ", ""), label.secret.hex()):
        assert not any(secret in text for text in texts)


def test_devices_that_sync_at_the_same_moment_get_one_version(url: str) -> None:
    label = registered(url)
    device = Device(None, label)  # type: ignore[arg-type]

    def version(_: int) -> int:
        noise, message = device.sealed("label", BLANK)
        answer = post(url, message, label.device_id)
        return int(json.loads(noise.read_message(answer.content))["config"]["version"])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(version, range(8))) == {1}


@pytest.mark.parametrize("kind", ["nothing", "profile", "vendor's device", "claim"])
def test_database_of_another_key_is_refused_at_the_start(place: Field, kind: str) -> None:
    if kind in ("vendor's device", "claim"):
        place.devices.register_for_vendor([new_label().qr_text])
    if kind == "claim":
        place.registered()
    if kind == "nothing":
        place.profiles.remove("press")
        place.store.check_key()
    with pytest.raises(StoreError, match="give it the key file"):
        ConfigStore(place.engine, SecretBox(bytes(range(32)))).check_key()
    place.store.check_key()


def test_vendors_import_alone_knows_its_key_in_a_database_of_an_earlier_release(
    place: Field,
) -> None:
    place.profiles.remove("press")
    place.devices.register_for_vendor([new_label().qr_text])
    with pytest.raises(StoreError, match="give it the key file"):
        ConfigStore(place.engine, SecretBox(bytes(range(32)))).check_key()
    place.store.check_key()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
def test_migrations_make_the_tables_that_the_store_knows(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = open_engine(database_url(tmp_path, "config"))
    migrate(engine, "muster_server.config_server", HEAD)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_strangers_get_no_description_of_the_api(url: str) -> None:
    for path in ("/openapi.json", "/docs", "/"):
        answer = requests.get(url + path, timeout=5)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# the last one, for it uses up what this address may ask


def test_slow_down_says_when_to_come_back(url: str) -> None:
    answers = (post(url, bytes(48)) for _ in range(200))
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json()["code"] == "too_many_requests"
