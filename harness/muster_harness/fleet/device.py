# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One device of a fleet: its label, what it was told, and the steps that it takes."""

import hashlib
import json
import secrets
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

from muster_harness.deploy.labels import Label
from muster_harness.fleet.answer import Answer
from muster_harness.fleet.link import Link, Links
from muster_harness.fleet.noise import Initiator

LABEL = "label"
_AE, _CONTAINER, _INSTANCE = 2, 3, 4
_CREATED, _OK, _CONFLICT, _ALREADY_REGISTERED = "2001", "2000", "4105", "4117"
_CONTAINERS = ("data", "muster")
_KEPT_INSTANCES = 100
_PASSING = (408, 429)  # of 4xx, what a person would try again
# As firmware writes it. Made once: json.dumps makes another one each time.
_COMPACT = json.JSONEncoder(separators=(",", ":"))


class Refused(Exception):
    """A server did not do what the device wants; `wait_s` is what it asked for, if it did.

    With `is_final` it never will.
    """

    def __init__(self, what: str, wait_s: float | None = None, *, is_final: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.wait_s = wait_s
        self.is_final = is_final


@dataclass(slots=True)
class FleetDevice:
    """One device. What it was told is in `config`, as it came; the repr shows its id alone.

    `waited_s` is how long its last request had to wait for its answer. A device's id needs no
    quoting in a path (docs/protocol.md, section 1).
    """

    label: Label
    number: int
    config: dict[str, Any] | None = field(default=None, repr=False)
    config_text: str | None = field(default=None, repr=False)  # the same as JSON, of a ledger
    echo: str | None = field(default=None, repr=False)
    committed: int = 0
    source: str | None = field(default=None, repr=False)
    waited_s: float = field(default=0.0, repr=False)
    _platform: Link | None = field(default=None, repr=False)

    async def claim(self, portal: Links, token: str, profile: str) -> None:
        """Step 1, as a person at the portal. Refused if it was not done."""
        body = {"label": self.label.text, "profile": profile, "name": f"fleet {self.number}"}
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = await portal.request("POST", "/v1/devices", json.dumps(body).encode(), headers)
        self.waited_s = answer.took_s
        if answer.status != 201:
            refusal = _refused("claim", answer)
            refusal.is_final = 400 <= answer.status < 500 and answer.status not in _PASSING
            raise refusal

    async def fetch(self, server_url: str) -> None:
        """Steps 5 and 6: report under the label's key and take the configuration, or Refused."""
        link = Link(server_url, source=self.source)
        directive = await self._sync(link, LABEL, self.label.key("sync-psk"), "blank")
        if directive["action"] != "configure":
            raise Refused(f"told to {directive['action']}", float(directive["retry_s"]))
        self.config = directive["config"]

    async def register(self) -> None:
        """Step 9: the AE with its containers, on a connection that is kept. Or Refused.

        What is there already, because an answer was lost, is looked at, as firmware does.
        """
        platform = self.settings["platform"]
        self._platform = self._to_platform()
        originator = platform["originator"]
        entity = {
            "rn": originator,
            "api": platform["api"],
            "rr": False,
            "srv": [platform["rvi"]],
            "lbl": [f"muster:{self.label.device_id}"],
        }
        rsc = await self._create(platform["cse"], _AE, {"m2m:ae": entity})
        if rsc != _CREATED and not await self.is_registered():
            raise Refused(f"register: response status code {rsc}, and the AE is not ours")
        for name in _CONTAINERS:
            content = {"m2m:cnt": {"rn": name, "mni": _KEPT_INSTANCES}}
            await self._create(f"{originator}?rcn=0", _CONTAINER, content)

    async def confirm(self, server_url: str) -> None:
        """The sync after step 9, whose echo proves the version: the device commits. Or Refused.

        Whoever is called back at once was not believed: the server has started anew since it told
        the nonce (docs/protocol.md, "Proof against replay"), and believes the next report.
        """
        own = self.settings
        directive = await self._report(server_url, "trial")
        if directive["action"] not in ("keep", "wait"):
            raise Refused(f"told to {directive['action']} after step 9")
        self.committed = int(own["version"])
        if directive["retry_s"] < own["policy"]["sync_s"]:
            again = await self._report(server_url, "committed")
            if again["action"] == "keep" and again["retry_s"] < own["policy"]["sync_s"]:
                raise Refused("called back after step 9, twice", float(again["retry_s"]))

    async def check_in(self, server_url: str) -> str:
        """A later sync of a device at work; the action that it is told."""
        directive = await self._report(server_url, "committed")
        return str(directive["action"])

    async def publish(self, value: float) -> None:
        """One reading, on the kept connection."""
        platform = self.settings["platform"]
        content = {"m2m:cin": {"con": json.dumps(value)}}
        await self._create(
            f"{platform['cse']}/{platform['originator']}/data?rcn=0", _INSTANCE, content
        )

    async def is_registered(self) -> bool:
        """Tell whether the platform knows the device's AE and takes its token. Refused if it does
        not say.
        """
        platform = self.settings["platform"]
        if self._platform is None:
            self._platform = self._to_platform()
        answer = await self._ask("GET", platform["originator"], None, None)
        if answer.status in (0, 429) or answer.status >= 500:
            raise _refused("look at the AE", answer)
        return answer.rsc == _OK

    def hang_up(self) -> None:
        """End the connection that is kept to the platform."""
        if self._platform is not None:
            self._platform.close()

    @property
    def settings(self) -> dict[str, Any]:
        """The configuration. Refused if there is none yet."""
        if self.config is not None:
            return self.config
        if self.config_text is None:
            raise Refused("no configuration yet")
        found: dict[str, Any] = json.loads(self.config_text)
        return found

    def _to_platform(self) -> Link:
        platform = self.settings["platform"]
        ca = platform["ca"]
        return Link(platform["url"], source=self.source, ca=ca and b64decode(ca))

    async def _report(self, server_url: str, state: str) -> dict[str, Any]:
        own = self.settings
        link = Link(server_url, source=self.source)
        return await self._sync(
            link, str(own["version"]), b64decode(own["config_server"]["key"]), state
        )

    async def _sync(self, link: Link, k: str, psk: bytes, state: str) -> dict[str, Any]:
        exchange = Initiator(self.label.device_id, k, psk)
        message = exchange.write(_COMPACT.encode(self._told(state)).encode())
        answer = await link.request(
            "POST",
            f"/v1/devices/{self.label.device_id}/sync?k={k}",
            message,
            {"Content-Type": "application/octet-stream"},
        )
        self.waited_s = answer.took_s
        if answer.status != 200:
            raise _refused("sync", answer)
        try:
            directive: dict[str, Any] = json.loads(exchange.read(answer.body))
        except ValueError as error:
            raise Refused(str(error)) from None
        self.echo = directive["nonce"]
        return directive

    def _told(self, state: str) -> dict[str, Any]:
        timeline: list[list[Any]] = [[3, "ok", 812], [4, "ok", 40]]
        if state != "blank":
            timeline += [[5, "ok", 60], [6, "ok", 90], [7, "ok", 300], [8, "ok", 2100]]
            timeline += [[9, "ok", 700]]
        return {
            "v": 1,
            "echo": self.echo,
            "config": self.committed,
            "state": state,
            "model": "fleet",
            "board": "EMULATED",
            "firmware": "0.1.0",
            "micropython": "1.29.0",
            "reset_cause": "power_on",
            "hw": hashlib.sha256(self.label.device_id.encode()).hexdigest()[:12],
            "heap": [[61234, 90112], [94256, 53248]],
            "scan": [],
            "last": None,
            "timeline": timeline,
        }

    async def _create(self, path: str, kind: int, content: dict[str, Any]) -> str:
        answer = await self._ask("POST", path, kind, content)
        if answer.rsc not in (_CREATED, _CONFLICT, _ALREADY_REGISTERED):
            raise _refused("create at the platform", answer)
        return answer.rsc

    async def _ask(
        self, method: str, path: str, kind: int | None, content: dict[str, Any] | None
    ) -> Answer:
        platform = self.settings["platform"]
        headers = {
            "X-M2M-Origin": platform["originator"],
            "X-M2M-RI": secrets.token_hex(4),
            "X-M2M-RVI": platform["rvi"],
            "Accept": "application/json",
        }
        if platform["token"] is not None:
            headers["Authorization"] = f"Bearer {platform['token']}"
        if kind is not None:
            headers["Content-Type"] = f"application/json;ty={kind}"
        body = None if content is None else json.dumps(content).encode()
        if self._platform is None:
            raise Refused("not registered yet")
        return await self._platform.request(method, f"/{path}", body, headers, keep=True)


def _refused(what: str, answer: Answer) -> Refused:
    if answer.status == 0:
        return Refused(f"{what}: {answer.reason}")
    code = answer.document().get("code") or answer.rsc
    return Refused(f"{what}: HTTP {answer.status} {code}".rstrip(), answer.retry_s)
