# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The story of an operator, for the pictures: a table of labels, and a version on its way."""

import time
from typing import Any

from muster_server.label import Label
from tests.host_server.config_server.field import PROFILE, Device
from tests.host_server.portal.api import call
from tests.host_server.portal.pages.site import ADMIN_TOKEN, Site

_PATIENCE_S = 30
_LABELS = [Label(f"LATHE-{n:02}", bytes([n + 40]) * 20) for n in range(1, 13)]
_FAILED = {"step": 8, "code": "wifi_auth", "detail": "hall: password refused"}


def told(site: Site) -> dict[str, str]:
    """Tell it; the ids that stand for TASK and ROLLOUT in the addresses of pictures."""

    def ask(method: str, path: str, body: Any = None) -> Any:
        answer = call(method, site.url + "/v1" + path, body, ADMIN_TOKEN)
        if not answer.ok:
            raise SystemExit(answer.text)
        return answer.json()

    def until(path: str, is_so: Any) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not is_so(ask("GET", path)):
            if time.monotonic() > end:
                raise SystemExit(f"{path} does not come about")
            time.sleep(0.2)

    lathe: dict[str, Any] = {
        **PROFILE,
        "name": "lathe",
        "networks": [{"ssid": "hall", "psk": "correct horse"}],
    }
    ask("POST", "/profiles", lathe)
    rows = [f"lathe {n},{label.qr_text}" for n, label in enumerate(_LABELS, 1)]
    rows.insert(5, "lathe 6,MUSTER:1:LATHE-06:AAAA")
    body = {"profile": "lathe", "csv": "\n".join(["name,label", *rows])}
    task = ask("POST", "/bulk/claims", body)["id"]
    until(f"/tasks/{task}", lambda found: found["state"] == "looked")
    ask("POST", f"/tasks/{task}/start")
    until(f"/tasks/{task}", lambda found: found["state"] == "done")
    devices = [Device(site.field, label) for label in _LABELS]
    for n, device in enumerate(devices[:10]):
        device.onboard()
        ask("PATCH", f"/devices/{device.id}", {"group": f"hall {1 + n // 4}", "tags": ["old"]})
    new: dict[str, Any] = {**lathe, "app": {"every_s": 5}, "policy": {"sync_s": 600}}
    new["networks"] = [{"ssid": "hall", "psk": "another horse"}]
    number = ask("POST", "/profiles/lathe/versions", new)["number"]
    waves = [{"group": "hall 1"}, {"percent": 25}]
    more: dict[str, Any] = {"most_failed": 0, "automatic": True}
    about = {"profile": "lathe", "number": number, "waves": waves, **more}
    rollout = ask("POST", "/rollouts", about)["id"]
    path = f"/rollouts/{rollout}"
    until(path, lambda found: found["waves"][0]["states"].get("offered") == 4)
    site.field.clock.pass_s(10)
    for device in devices[:3]:
        device.confirm(device.sync(k="1")["config"]["version"])
    version = devices[3].sync(k="1")["config"]["version"]
    devices[3].sync(k="1", last={"config": version, **_FAILED})
    until(path, lambda found: found["state"] == "stopped")
    ask("POST", "/profiles/press/passwords", {"ssid": "factory", "psk": "another horse"})
    return {"TASK": task, "ROLLOUT": rollout}
