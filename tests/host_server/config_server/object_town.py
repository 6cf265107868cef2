# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A configuration server that keeps a device's objects at a platform: its own, or another's."""

from dataclasses import dataclass, field
from typing import Any

import requests
from starlette.types import ASGIApp, Receive, Scope, Send

from muster_server.config_server.field_configuration import FieldConfiguration
from muster_server.config_server.jobs import Jobs
from muster_server.config_server.object_places import Places
from muster_server.config_server.other_platforms import OtherPlatform, OtherPlatforms
from muster_server.service_client import Remote
from muster_server.tokens import new_token
from tests.host_server.config_server.field import OWNER, PROFILE, Field

TOKEN = new_token()
EDITOR = "Capp0123456789"
_NODE_TYPE = b"ty=14"


@dataclass
class Other:
    """A platform of somebody else, who lets everybody in, and may have no nodes."""

    app: ASGIApp
    has_nodes: bool = True
    is_down: bool = False
    writes_fail: bool = False  # of the objects
    refuses: str = ""  # a response status code for whoever makes a node
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        self.asked.append(f"{scope['method']} {scope['path']}")
        is_node = _NODE_TYPE in headers.get(b"content-type", b"")
        code = "5001" if is_node and not self.has_nodes else self.refuses if is_node else ""
        is_ours = b"authorization" in headers and headers.get(b"x-m2m-origin") == b"CAdmin"
        is_lost = self.writes_fail and is_ours and scope["method"] in ("PUT", "POST")
        if self.is_down or code or is_lost:
            head = {"type": "http.response.start", "status": 501 if code else 503}
            await send({**head, "headers": [(b"x-m2m-rsc", code.encode())] if code else []})
            return await send({"type": "http.response.body", "body": b""})
        authorization = (b"authorization", f"Bearer {TOKEN}".encode())
        if b"authorization" not in headers:
            scope = {**scope, "headers": [*scope["headers"], authorization]}
        return await self.app(scope, receive, send)


class Town:
    """A configuration server, a platform that is its own or somebody else's, and an editor."""

    def __init__(
        self, place: Field, url: str, other: Other, *, is_home: bool, has_nodes: bool = True
    ) -> None:
        self.place, self.url, self.other = place, url, other
        other.has_nodes, other.is_down, other.refuses = has_nodes, False, ""
        others = OtherPlatforms((OtherPlatform(url, "CAdmin"),), {OWNER: (EDITOR,)})
        service = Remote(url)
        places = Places(lambda u: is_home and u == place.platforms.url, service, TOKEN, others)
        self.fields = FieldConfiguration(
            place.store, place.versions, places, place.clock, place.clock
        )
        self.jobs = Jobs(
            place.store, place.platforms, place.clock, place.stopping, fields=self.fields
        )
        put = requests.put(
            f"{url}/readers/{EDITOR}?policy=owner:x&kind=application&token_id=x",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=5,
        )
        self.editor = put.json()["token"]
        if not is_home:
            platform = {**PROFILE["platform"], "url": url}
            place.profiles.replace("press", {**PROFILE, "platform": platform})
        self.device = place.registered()
        self.device.onboard()
        self.work()

    def work(self) -> None:
        """Let time pass, until everything is done that was to be done."""
        self.place.clock.pass_s(15)
        self.jobs.run_due()
        self.fields.listen()

    def ask(self, method: str, path: str, who: str = "", body: Any = None, ty: int = 0) -> Any:
        headers = {
            "X-M2M-Origin": who or "CAdmin",
            "X-M2M-RI": "1",
            "X-M2M-RVI": "4",
            "Authorization": f"Bearer {self.editor if who else TOKEN}",
            "Content-Type": f"application/json;ty={ty}" if ty else "application/json",
        }
        return requests.request(method, self.url + path, headers=headers, json=body, timeout=5)

    @property
    def node(self) -> str:
        return f"/cse-in/nod-{self.device.id}"

    def objects(self) -> dict[str, Any]:
        """All objects of the device by their name."""
        node = self.ask("GET", f"{self.node}?rcn=4").json().get("m2m:nod", {})
        lists = [value for value in node.values() if isinstance(value, list)]
        return {each["rn"]: each for items in lists for each in items if isinstance(each, dict)}

    def registered(self, originator: str) -> str:
        """Register the device, as it does itself."""
        account = f"{self.url}/accounts/{originator}"
        admin = {"Authorization": f"Bearer {TOKEN}"}
        token = requests.put(account, headers=admin, timeout=5).json()["token"]
        headers = {"X-M2M-Origin": originator, "X-M2M-RI": "1", "X-M2M-RVI": "4"}
        headers |= {"Authorization": f"Bearer {token}", "Content-Type": "application/json;ty=2"}
        ae = {"m2m:ae": {"rn": originator, "api": "Nx", "rr": False, "srv": ["4"]}}
        answer = requests.post(f"{self.url}/cse-in", headers=headers, json=ae, timeout=5)
        return answer.headers["X-M2M-RSC"]

    def change(self, name: str, who: str = EDITOR, **attributes: Any) -> str:
        root = {"datc": "dcfg:datc", "wific": "dcfg:wific"}[name]
        answer = self.ask("PUT", f"{self.node}/{name}", who, {root: attributes})
        return str(answer.headers["X-M2M-RSC"])

    def outcome(self, name: str) -> str:
        return str(self.objects()[name]["dc"])

    def sync(self, **more: Any) -> dict[str, Any]:
        return self.device.sync(str(self.device.committed), **more)

    def told(self) -> list[str]:
        return [event["code"] for event in self.device.shown()["events"]]
