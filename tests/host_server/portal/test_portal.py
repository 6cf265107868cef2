# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the portal promise to its users?"""

import json
import socket

import pytest
import requests

from muster_server import cli
from muster_server.config_server.app import create_app as create_config
from muster_server.label import new_label
from muster_server.portal.app import create_app
from muster_server.portal.service import Portal, rendered
from muster_server.store.secrets import SecretBox
from muster_server.tokens import new_token
from tests.host_server.config_server.field import (
    PROFILE,
    SERVER_URL,
    Device,
    Field,
)
from tests.host_server.portal.api import ADMIN, SERVICE, call, hashes, register
from tests.host_server.serving import served


def test_registering_does_steps_1_and_2(url: str) -> None:
    label = new_label()
    answer = register(url, label)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["device_id"] == label.device_id
    states = [(step["step"], step["state"]) for step in shown["steps"]]
    assert states == [(1, "done"), (2, "done"), *((n, "pending") for n in range(3, 10))]
    assert shown["steps"][0]["name"] == "register the device at the portal"
    assert call("GET", f"{url}/v1/devices/{label.device_id}").json() == shown
    listed = call("GET", f"{url}/v1/devices").json()["devices"]
    assert label.device_id in [device["device_id"] for device in listed]


def test_mistyped_label_is_refused_with_the_reason(url: str) -> None:
    text = new_label().qr_text
    answer = call("POST", url + "/v1/devices", {"label": text[:-1] + "1", "profile": "press"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "label_refused")
    assert problem["path"] == "secret"
    assert "is it I or L?" in problem["detail"]
    assert text[-20:-1] not in answer.text


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "label"),
        ({"label": 5, "profile": "press"}, "label"),
        ({"label": new_label().qr_text}, "profile"),
        ({"label": new_label().qr_text, "profile": "press", "name": None}, "name"),
        ([], ""),
    ],
)
def test_wrong_field_is_named(url: str, body: object, path: str) -> None:
    answer = call("POST", url + "/v1/devices", body)
    assert (answer.status_code, answer.json()["path"]) == (422, path)


def test_refusals_of_the_configuration_server_are_passed_on(url: str) -> None:
    body = {"label": new_label().qr_text, "profile": "other"}
    answer = call("POST", url + "/v1/devices", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "other" in answer.json()["detail"]
    wrong = call("PUT", url + "/v1/profiles/press", PROFILE | {"country": "x"})
    assert (wrong.status_code, wrong.json()["path"]) == (422, "country")
    assert wrong.json()["detail"].count("country: ") == 1


def test_window_and_release(url: str) -> None:
    label = new_label()
    register(url, label)
    address = f"{url}/v1/devices/{label.device_id}"
    assert call("POST", address + "/window").json()["window"]["open"] is True
    assert call("DELETE", address).status_code == 204
    assert call("GET", address).status_code == 404


@pytest.mark.parametrize("device_id", ["nobody", "..", "a b", "x" * 40, "%2e%2e%2fprofiles"])
def test_id_that_is_none_is_not_found(url: str, device_id: str) -> None:
    assert call("GET", f"{url}/v1/devices/{device_id}").status_code == 404


def test_vendor_registers_in_bulk(url: str) -> None:
    labels = [new_label().qr_text, "MUSTER:1:A:B"]
    answer = call("POST", url + "/v1/vendor/devices", {"labels": labels})
    verdicts = [device["verdict"] for device in answer.json()["devices"]]
    assert verdicts == ["added", "refused"]


def test_everything_needs_the_token(url: str) -> None:
    paths = requests.get(url + "/openapi.json", timeout=5).json()["paths"]
    for path, operations in paths.items():
        for method in operations:
            for token in ("", SERVICE):
                answer = call(method.upper(), url + path, {}, token)
                assert answer.status_code == 401, (method, path)
    assert len(paths) == 43


def test_configuration_server_that_is_away_is_said_so() -> None:
    with served(create_app(Portal("http://127.0.0.1:9", SERVICE), lambda: hashes(ADMIN))) as url:
        answer = register(url, new_label())
    assert (answer.status_code, answer.json()["code"]) == (502, "service_unreachable")
    assert "check that the server runs" in answer.json()["detail"]


def test_configuration_server_that_hangs_is_told_apart_from_the_portal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("muster_server.portal.service.CONFIG_TIMEOUT_S", 0.1)
    monkeypatch.setenv("MUSTER_TOKEN", ADMIN)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with served(create_app(Portal(config_url, SERVICE), lambda: hashes(ADMIN))) as url:
            assert cli.main(["device", "list", "--portal", url]) == cli.UNREACHABLE
    assert f"{config_url}/v1/devices did not answer" in capsys.readouterr().err


def test_platform_that_is_away_is_named_by_who_asked_it(place: Field) -> None:
    app = create_config(
        place.engine,
        SecretBox(bytes(32)),
        accepted_hashes=lambda: hashes(SERVICE),
        platforms=place.platforms,
        public_url=SERVER_URL,
    )
    place.platform.is_down = True
    with (
        served(app) as config_url,
        served(create_app(Portal(config_url, SERVICE), lambda: hashes(ADMIN))) as url,
    ):
        label = new_label()
        assert register(url, label).status_code == 201
        answer = call("POST", f"{url}/v1/devices/{label.device_id}/bundles", {})
    assert (answer.status_code, answer.json()["code"]) == (502, "service_unreachable")
    assert answer.json()["detail"] == "the platform is down"


def test_configuration_server_that_refuses_the_portals_token_is_said_so(config_url: str) -> None:
    with served(create_app(Portal(config_url, new_token()), lambda: hashes(ADMIN))) as url:
        answer = register(url, new_label())
    assert answer.status_code == 502
    assert "MUSTER_CONFIG_TOKEN" in answer.json()["detail"]


def test_failure_is_told_in_a_sentence_that_names_the_network(place: Field) -> None:
    device: Device = place.registered()
    device.sync()
    last = {"config": 1, "step": 8, "code": "wifi_auth", "detail": "factory: status 202"}
    device.sync(last=last)
    shown = rendered(device.shown())
    assert shown["last"]["sentence"].startswith("The Wi-Fi password for 'factory' was refused")
    assert shown["steps"][7]["sentence"] == shown["last"]["sentence"]
    assert "sentence" not in shown["steps"][5]


def test_use_of_the_label_after_its_window_is_told_in_a_sentence(place: Field) -> None:
    device = place.registered()
    device.onboard()
    device.sync(echo=None)
    assert "window was closed" in rendered(device.shown())["events"][0]["sentence"]


def test_profile_that_no_device_uses_is_deleted(url: str) -> None:
    assert call("POST", url + "/v1/profiles", PROFILE | {"name": "spare"}).status_code == 201
    body = {"label": new_label().qr_text, "profile": "spare"}
    device_id = call("POST", url + "/v1/devices", body).json()["device_id"]
    refused = call("DELETE", url + "/v1/profiles/spare")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert device_id in refused.json()["detail"]
    assert call("DELETE", f"{url}/v1/devices/{device_id}").status_code == 204
    assert call("DELETE", url + "/v1/profiles/spare").status_code == 204
    assert call("DELETE", url + "/v1/profiles/spare").status_code == 404
    assert "spare" not in call("GET", url + "/v1/profiles").json()["profiles"]
    assert call("POST", url + "/v1/profiles", PROFILE | {"name": "spare"}).status_code == 201


@pytest.mark.parametrize(
    ("app", "path"),
    [(r'{"a":"\ud800"}', "app.a"), ('{"a":' * 500 + "1" + "}" * 500, "app.a.a")],
)
def test_profile_that_could_not_be_kept_is_refused_by_its_path(
    url: str, app: str, path: str
) -> None:
    text = json.dumps(PROFILE | {"name": "odd", "app": {}}).replace('"app": {}', f'"app": {app}')
    headers = {"Authorization": f"Bearer {ADMIN}"}
    answer = requests.post(url + "/v1/profiles", data=text, headers=headers, timeout=5)
    assert answer.status_code == 422
    assert answer.json()["path"].startswith(path)
