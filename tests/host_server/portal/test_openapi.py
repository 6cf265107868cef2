# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's OpenAPI document is true: what it says is what happens."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from muster_server.config_server import instances
from muster_server.label import new_label
from muster_server.service_client import Fetched
from tests.host_server.api.schemas import description, errors
from tests.host_server.config_server.field import PROFILE, Field
from tests.host_server.portal.api import ADMIN, call, followed

# Of the parts of addresses.
NAMES = {
    **{"device_id": "PRESS-4", "name": "press", "command_id": "1", "task_id": "1"},
    **{"number": "1", "rollout_id": "1", "webhook_id": "1"},
}
PROBLEM = "application/problem+json"


def operations(*, is_alone: bool = False) -> list[tuple[str, str, dict[str, Any]]]:
    """All of the document; alone: without those of people, which test_people_api.py asks."""
    return [
        (path, method, operation)
        for path, methods in description(is_alone=is_alone)["paths"].items()
        for method, operation in methods.items()
    ]


def test_document_has_named_models_and_no_answer_that_is_never_sent() -> None:
    for path, method, operation in operations():
        answers = operation["responses"]
        (status,) = set(answers) - {"default"}
        assert status in ("200", "201", "204"), (path, method)
        (kind,) = answers["default"]["content"]
        assert kind == PROBLEM
        assert operation["security"] == [{"token": []}]
        contents = [*answers.values(), operation.get("requestBody", {})]
        for content in (c for part in contents for c in part.get("content", {}).values()):
            assert content["schema"] == {"type": "string"} or set(content["schema"]) == {"$ref"}
    components = description()["components"]
    assert components["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(description())))
    assert named == set(components["schemas"])
    assert all(schema["description"] for schema in components["schemas"].values())


def lists(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict):
        if schema.get("type") == "array":
            yield schema
        for inner in schema.values():
            yield from lists(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from lists(inner)


def test_every_list_says_what_is_in_it() -> None:
    found = list(lists(description()["components"]))
    assert len(found) > 10
    assert [part for part in found if "items" not in part] == []


def component(path: str, method: str) -> str:
    answers = description()["paths"][path][method]["responses"]
    (done,) = (answer for status, answer in answers.items() if status != "default")
    return str(done["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2])


CONTAINER = Fetched(
    200,
    {"X-M2M-RSC": "2000"},
    b'{"m2m:cnt":{"m2m:cin":[{"ri":"1","ct":"20261123T075904,012551","con":"x"}]}}',
)


def commands_container(*_: object, method: str = "GET", **__: object) -> Fetched:
    if method == "POST":
        return Fetched(201, {"X-M2M-RSC": "2001"}, b'{"m2m:cin":{"ri":"1"}}')
    return CONTAINER


def test_every_answer_is_whole_as_described(
    desk: tuple[Field, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, url = desk
    asked: set[tuple[str, str]] = set()

    def ask(path: str, method: str, body: Any = None, **names: str) -> Any:
        answer = call(method.upper(), url + path.format(**names), body)
        assert answer.ok, (path, method, answer.text)
        asked.add((path, method))
        if "json" in answer.headers.get("Content-Type", ""):
            assert errors(component(path, method), answer.json(), is_closed=True) == []
            return answer.json()
        return answer

    device = place.registered()
    device.sync(last={"config": 1, "step": 8, "code": "wifi_auth", "detail": "factory: 202"})
    device.onboard()
    carried, vendors, bulk = new_label(), new_label(), new_label()
    path, one = "/v1/devices/{device_id}", {"device_id": carried.device_id}
    ask("/v1/devices", "post", {"label": carried.qr_text, "profile": "press", "name": "n"})
    for device_id in (device.id, carried.device_id):
        ask(path, "get", device_id=device_id)
        ask(path + "/timeline", "get", device_id=device_id)
    ask(path + "/bundles", "post", {"life_s": None}, **one)
    ask(path + "/bundles", "get", **one)
    for form in ("bundle", "bundle.svg"):
        ask(f"{path}/{form}", "get", **one)
    text = ask(path + "/bundle.txt", "get", **one).text
    ask("/v1/bundles/check", "post", {"bundle": text})
    ask(path + "/receipts", "post", {"receipt": receipt_of(carried, text)}, **one)
    ask(path, "get", **one)
    with followed(url, carried.device_id) as events:
        assert errors("Device", next(events)[1], is_closed=True) == []
    asked.add((path + "/stream", "get"))
    reader = ask("/v1/readers", "post", {"name": "dashboard"})
    assert reader["originator"] in place.platform.policies
    ask("/v1/readers", "get")
    ask("/v1/readers/{name}", "delete", name="dashboard")
    monkeypatch.setattr(instances, "fetch", lambda *_, **__: CONTAINER)
    ask(path + "/readings", "get", device_id=device.id)
    monkeypatch.setattr(instances, "fetch", commands_container)
    command = ask(path + "/commands", "post", {"value": {"led": True}}, device_id=device.id)
    assert command["state"] == "waiting"
    about = {"device_id": device.id, "command_id": command["id"]}
    ask(path + "/commands/{command_id}", "get", **about)
    ask(path + "/timeline", "get", **one)
    ask(path + "/window", "post", **one)
    ask(path + "/window", "post", {"until": int(time.time()) + 60}, **one)
    ask(path + "/window", "delete", **one)
    ask(path, "patch", {"name": "renamed"}, **one)
    ask(path + "/account", "post", **one)
    ask("/v1/devices", "get")
    ask("/v1/device-counts", "get")
    ask("/v1/overview", "get")
    many = [{"label": bulk.qr_text, "name": "press 9"}, {"label": "x"}]
    ask("/v1/bulk/devices", "post", {"profile": "press", "devices": many, "trial": True})
    table = f"label\n{new_label().qr_text}\nx"
    task = ask("/v1/bulk/claims", "post", {"profile": "press", "csv": table})["id"]
    ask("/v1/bulk/changes", "post", {"devices": [carried.device_id], "group": "hall 3"})
    for _ in range(100):
        if ask("/v1/tasks/{task_id}", "get", task_id=task)["state"] == "looked":
            break
        time.sleep(0.1)
    ask("/v1/tasks/{task_id}/rows", "get", task_id=task)
    ask("/v1/tasks/{task_id}/start", "post", task_id=task)
    ask("/v1/tasks", "get")
    ask("/v1/tasks/{task_id}", "delete", task_id=task)
    ask("/v1/vendor/devices", "post", {"labels": [vendors.qr_text, "x"]})
    ask("/v1/profiles", "post", PROFILE | {"name": "spare"})
    ask("/v1/profiles", "get")
    ask("/v1/profiles/{name}", "get", name="spare")
    ask("/v1/profiles/{name}", "put", PROFILE | {"name": "spare"}, name="spare")
    ask("/v1/profiles/{name}", "delete", name="spare")
    on = {"name": "press"}
    versions = "/v1/profiles/{name}/versions"
    passwords = "/v1/profiles/{name}/passwords"
    number = ask(versions, "post", PROFILE | {"app": {"every_s": 5}}, **on)["number"]
    ask(versions, "get", **on)
    compared = call("GET", f"{url}/v1/profiles/press/difference?old=1&new={number}").json()
    assert errors("Difference", compared, is_closed=True) == []
    asked.add(("/v1/profiles/{name}/difference", "get"))
    preview = f"{url}/v1/profiles/press/versions/{number}/preview?device_id={device.id}"
    assert errors("Preview", call("GET", preview).json(), is_closed=True) == []
    asked.add((versions + "/{number}/preview", "get"))
    wave = {"profile": "press", "number": number, "waves": [{"percent": 10}]}
    rollout = ask("/v1/rollouts", "post", wave)["id"]
    ask("/v1/rollouts", "get")
    one_of = "/v1/rollouts/{rollout_id}"
    ask(one_of, "get", rollout_id=rollout)
    ask(one_of + "/devices", "get", rollout_id=rollout)
    for deed in ("stop", "go-on", "abort"):
        ask(f"{one_of}/{deed}", "post", rollout_id=rollout)
    rollout = ask("/v1/rollouts", "post", wave)["id"]
    ask(one_of + "/finish", "post", rollout_id=rollout)
    ask(versions + "/{number}/use", "post", number="1", **on)
    ask(passwords, "post", {"ssid": "factory", "psk": "the new password"}, **on)
    ask(passwords, "get", **on)
    ask(passwords + "/end", "post", {"ssid": "factory", "confirmed": True}, **on)
    ask(path + "/hand-over", "post", device_id=device.id)
    ask(path, "delete", **one)
    assert asked == {(path, method) for path, method, _ in operations(is_alone=True)}


def receipt_of(label: Any, text: str) -> str:
    from muster_server.config_server import bundle as form

    return form.receipt(label.key("receipt-key"), 1, "ok", form.digest_of(text))


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "TRACE", "POST", "PUT", "DELETE", "GET"])
def test_allow_names_the_methods_that_are_described(url: str, method: str) -> None:
    for path, methods in description(is_alone=True)["paths"].items():
        if method.lower() in methods:
            continue
        place = path.format(**NAMES)
        answer = call(method, url + place)
        assert (answer.status_code, answer.headers["Content-Type"]) == (405, PROBLEM)
        assert answer.headers["Allow"] == ", ".join(sorted(m.upper() for m in methods)), path


def test_every_problem_is_one_as_described(url: str) -> None:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    answers = [
        requests.get(url + "/v1/devices", timeout=5),
        call("GET", url + "/v1/devices/NOBODY"),
        call("GET", url + "/nowhere"),
        call("PATCH", url + "/v1/devices"),
        call("POST", url + "/v1/devices", {}),
        call("POST", url + "/v1/devices", {"label": "x", "profile": "press"}),
        call("POST", url + "/v1/profiles", PROFILE),
        call("GET", url + "/v1/devices/NOBODY/bundle.svg?part=0"),
        requests.post(url + "/v1/devices", data=b"x" * 300_000, headers=headers, timeout=5),
        requests.post(url + "/v1/devices", data=b"{", headers=headers, timeout=5),
    ]
    statuses = [answer.status_code for answer in answers]
    assert statuses == [401, 404, 404, 405, 422, 422, 409, 422, 413, 422]
    for answer in answers:
        assert answer.headers["Content-Type"] == PROBLEM
        assert errors("Problem", answer.json(), is_closed=True) == []


def test_problem_with_several_fields_names_each(url: str) -> None:
    found = call("POST", url + "/v1/devices", {"name": 5}).json()
    assert [error["path"] for error in found["errors"]] == ["label", "profile", "name"]
    assert found["path"] == "label"
