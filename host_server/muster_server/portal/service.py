# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's work for a user: step 1, and telling how far each device has come.

The portal keeps nothing itself: it asks the configuration server by what goes over HTTP, and in
one process by the same without HTTP.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from muster_server import errors, outcomes, standing_words, wording
from muster_server.api.bodies import (
    BundleText,
    ChangedDevice,
    NewBundle,
    NewCommand,
    NewDevice,
    NewDevices,
    NewReader,
    NewWindow,
    TypedReceipt,
    VendorDevices,
)
from muster_server.api.queries import WantedDevices, WantedReadings
from muster_server.document import Fields
from muster_server.errors import HostError, ServiceUnreachable
from muster_server.label import is_device_id, label_text
from muster_server.service_client import CONFIG_TIMEOUT_S, Remote, Service
from muster_server.tokens import TokenSource

# What the configuration server may say, and the portal says again in its own name.
_PASSED_ON: dict[str, type[HostError]] = {
    kind.code: kind
    for kind in (
        errors.Malformed,
        errors.NotFound,
        errors.Conflict,
        errors.TooLarge,
        errors.Invalid,
        errors.LabelRefused,
        errors.BundleRefused,
        errors.ReceiptRefused,
        errors.TooManyRequests,
        errors.ServiceUnreachable,  # the platform, as the configuration server found it
        errors.Unavailable,
    )
}


class Portal:
    """The configuration server as one owner sees it."""

    def __init__(
        self,
        config_url: str,
        config_token: TokenSource,
        ca_file: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        inside: Service | None = None,
    ) -> None:
        """`inside` is the configuration server, if it runs in this process."""
        self._config = inside or Remote(config_url, ca_file)
        self._token = config_token
        self._monotonic = monotonic

    def register(self, device: NewDevice, owner: str) -> dict[str, Any]:
        """Steps 1 and 2. A mistyped label is refused here, before anybody else hears of it."""
        started = self._monotonic()
        request = {
            **device.model_dump(),
            "label": label_text(device.label),
            "portal_ms": round((self._monotonic() - started) * 1000),
        }
        return rendered(self._call("POST", f"/v1/devices?owner={quote(owner)}", request))

    def register_many(self, devices: NewDevices, owner: str) -> dict[str, Any]:
        """Steps 1 and 2 for many, with a verdict for each."""
        return self._call("POST", f"/v1/bulk/devices?owner={quote(owner)}", devices.model_dump())

    def devices(self, owner: str, wanted: WantedDevices) -> dict[str, Any]:
        """One short entry per device, as many as fit into an answer."""
        query = urlencode({"owner": owner, **wanted.model_dump(exclude_none=True)})
        page = self._call("GET", f"/v1/devices?{query}")
        return {**page, "devices": [with_words(device) for device in page["devices"]]}

    def device_counts(self, owner: str) -> dict[str, Any]:
        """The number of devices: all, by state, and by profile."""
        return self._call("GET", f"/v1/device-counts?owner={quote(owner)}")

    def device_groups(self, owner: str) -> dict[str, Any]:
        """The number of devices in each group, and with each tag."""
        return self._call("GET", f"/v1/device-groups?owner={quote(owner)}")

    def events(self, owner: str, after: int | None) -> dict[str, Any]:
        """Return what happened to the owner's devices after this place; without one nothing."""
        query = urlencode({"owner": owner} | ({} if after is None else {"after": after}))
        return self._call("GET", f"/v1/events?{query}")

    def overview(self, owner: str) -> dict[str, Any]:
        """Devices by state, how onboarding went, what failed, and who is silent."""
        return self._call("GET", f"/v1/overview?owner={quote(owner)}")

    def device(self, device_id: str, owner: str) -> dict[str, Any]:
        """The nine steps of a device, each with its state."""
        return rendered(self._call("GET", self._device(device_id, owner)))

    def change(self, device_id: str, new: ChangedDevice, owner: str) -> dict[str, Any]:
        """Give a device another profile, another name, or both."""
        address = self._device(device_id, owner)
        return rendered(self._call("PATCH", address, new.model_dump()))

    def open_window(self, device_id: str, window: NewWindow, owner: str) -> dict[str, Any]:
        """Let the label be used again, until then or until the device proves a configuration."""
        address = self._device(device_id, owner, "/window")
        return rendered(self._call("POST", address, window.model_dump()))

    def close_window(self, device_id: str, owner: str) -> dict[str, Any]:
        """Let the label be used no longer."""
        return rendered(self._call("DELETE", self._device(device_id, owner, "/window")))

    def hand_over(self, device_id: str, owner: str) -> dict[str, Any]:
        """Release the device to somebody else, and say what is left to do."""
        answer = self._call("POST", self._device(device_id, owner, "/hand-over"))
        return {**answer, "to_do": wording.hand_over(answer)}

    def transfer(
        self, device_id: str, owner: str, to: str, profile: str, name: str
    ) -> dict[str, Any]:
        """Have the device go to another owner, and say what is left to do for the former."""
        new = {"to": to, "profile": profile, "name": name}
        answer = self._call("POST", self._device(device_id, owner, "/transfer"), new)
        return {**answer, "to_do": wording.hand_over(answer)}

    def release(self, device_id: str, owner: str) -> None:
        """End the ownership."""
        self._call("DELETE", self._device(device_id, owner))

    def new_account(self, device_id: str, owner: str) -> dict[str, Any]:
        """Another identity at the platform, with the next configuration."""
        return rendered(self._call("POST", self._device(device_id, owner, "/account")))

    def timeline(self, device_id: str, owner: str) -> dict[str, Any]:
        """Return what device, servers and platform saw, in the order of time."""
        device = self._call("GET", self._device(device_id, owner))
        timeline = self._call("GET", self._device(device_id, owner, "/timeline"))
        return wording.rendered(timeline, device["networks"], device["platform"] or "")

    def readings(self, device_id: str, owner: str, wanted: WantedReadings) -> dict[str, Any]:
        """Return what the device has published at its platform."""
        query = urlencode(wanted.model_dump(exclude_none=True))
        return self._call("GET", f"{self._device(device_id, owner, '/readings')}&{query}")

    def command(self, device_id: str, command: NewCommand, owner: str) -> dict[str, Any]:
        """Have the device's application told something."""
        address = self._device(device_id, owner, "/commands")
        return self._call("POST", address, command.model_dump())

    def command_progress(self, device_id: str, command_id: str, owner: str) -> dict[str, Any]:
        """Return how far a command has come, with the device's result."""
        place = f"/commands/{quote(command_id, safe='')}"
        return self._call("GET", self._device(device_id, owner, place))

    def add_reader(self, reader: NewReader, owner: str) -> dict[str, Any]:
        """An account that may only read the owner's devices, with its token."""
        return self._call("POST", f"/v1/readers?owner={quote(owner)}", reader.model_dump())

    def readers(self, owner: str) -> dict[str, Any]:
        """Readers of this owner, without their tokens."""
        return self._call("GET", f"/v1/readers?owner={quote(owner)}")

    def remove_reader(self, name: str, owner: str) -> None:
        """Close the reader's account."""
        self._call("DELETE", f"/v1/readers/{quote(name, safe='')}?owner={quote(owner)}")

    def make_bundle(self, device_id: str, wanted: NewBundle, owner: str) -> dict[str, Any]:
        """Seal the device's configuration for the offline flow."""
        return self._call("POST", self._device(device_id, owner, "/bundles"), wanted.model_dump())

    def bundles(self, device_id: str, owner: str) -> dict[str, Any]:
        """Return the progress of the device's bundles."""
        return self._call("GET", self._device(device_id, owner, "/bundles"))

    def bundle_text(self, device_id: str, owner: str) -> str:
        """The newest bundle, for the user."""
        return str(self._call("POST", self._device(device_id, owner, "/bundle"))["text"])

    def check_bundle(self, bundle: BundleText, owner: str) -> dict[str, Any]:
        """Return the device of a bundle, and the bundle's progress."""
        return self._call("POST", f"/v1/bundles/check?owner={quote(owner)}", bundle.model_dump())

    def check_receipt(self, device_id: str, receipt: TypedReceipt, owner: str) -> dict[str, Any]:
        """Return what a receipt says, with a sentence for its reader."""
        address = self._device(device_id, owner)
        answer = self._call(
            "POST", self._device(device_id, owner, "/receipts"), receipt.model_dump()
        )
        return {**answer, "sentence": verdict_words(answer, self._call("GET", address))}

    def remove_profile(self, name: str) -> None:
        """Forget a profile that no device uses."""
        self._call("DELETE", f"/v1/profiles/{quote(name, safe='')}")

    def register_for_vendor(self, devices: VendorDevices) -> dict[str, Any]:
        """A verdict for each label of devices that are not sold yet."""
        return self._call("POST", "/v1/vendor/devices", devices.model_dump())

    def add_profile(self, value: object) -> dict[str, Any]:
        """Keep a new profile."""
        return self._call("POST", "/v1/profiles", value)

    def replace_profile(self, name: str, value: object) -> dict[str, Any]:
        """Change a profile; its devices follow at their next sync."""
        return self._call("PUT", f"/v1/profiles/{quote(name, safe='')}", value)

    def profiles(self) -> dict[str, Any]:
        """The names of all profiles."""
        return self._call("GET", "/v1/profiles")

    def profile(self, name: str) -> dict[str, Any]:
        """A profile without its secrets."""
        return self._call("GET", f"/v1/profiles/{quote(name, safe='')}")

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Return what the configuration server answers, for the portal's other services.

        Raises the HostError that it names, or ServiceUnreachable.
        """
        return self._call(method, path, body)

    def _device(self, device_id: str, owner: str, what: str = "") -> str:
        if not is_device_id(device_id.upper()):
            raise errors.NotFound("that is not the id of a device")
        return f"/v1/devices/{device_id.upper()}{what}?owner={quote(owner)}"

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._config.ask(method, path, self._token, body, read_timeout_s=CONFIG_TIMEOUT_S)
        if answer.status_code == 204:
            return {}
        try:
            document = Fields(answer.json()).document
        except (ValueError, errors.Invalid):
            document = {}
        if answer.ok and document:
            return document
        if answer.status_code == 401:
            raise ServiceUnreachable(
                "the configuration server does not accept the portal's token; both must have the "
                "same MUSTER_CONFIG_TOKEN, or the same data directory"
            )
        kind = _PASSED_ON.get(str(document.get("code")))
        if kind is None:
            raise ServiceUnreachable(
                f"the configuration server answered HTTP {answer.status_code}; see its log"
            )
        raise _passed_on(kind, document)


def _passed_on(kind: type[HostError], document: dict[str, Any]) -> HostError:
    path, retry_s = document.get("path"), document.get("retry_s")
    detail = str(document.get("detail", ""))
    if path:
        detail = detail.removeprefix(f"{path}: ")
    errors = document.get("errors") or [{}]
    others = tuple((str(e["path"]), str(e["detail"])) for e in errors[1:])
    return kind(detail, path=path, retry_s=retry_s, others=others)


def with_words(device: dict[str, Any]) -> dict[str, Any]:
    """The four facts with a sentence for the attempt and for what is waited for."""
    attempt, platform = device["attempt"], device["platform"] or ""
    if attempt is not None:
        networks = device["networks"]
        attempt = {**attempt, "sentence": standing_words.of_attempt(attempt, networks, platform)}
    waiting = {**device["waiting_for"], "sentence": standing_words.of_waiting(device)}
    return {**device, "attempt": attempt, "waiting_for": waiting}


def rendered(device: dict[str, Any]) -> dict[str, Any]:
    """The device with names for its steps, and sentences for whatever went wrong."""

    def said(code: str, detail: str, step: int | None = None) -> str:
        platform = device["platform"] or ""
        return outcomes.sentence(code, device["networks"], platform, detail, step)

    last = device["last"]
    steps = []
    for step in device["steps"]:
        named = {"step": step["step"], "name": outcomes.STEPS[step["step"]], **step}
        if step["state"] == "failed":
            is_last = last is not None and last["step"] == step["step"]
            named["sentence"] = said(step["code"], last["detail"] if is_last else "", step["step"])
        steps.append(named)
    return {
        **with_words(device),
        "steps": steps,
        "last": last and {**last, "sentence": said(last["code"], last["detail"], last["step"])},
        "events": [
            {**event, "sentence": said(event["code"], event["detail"])}
            for event in device["events"]
        ],
    }


def verdict_words(answer: dict[str, Any], device: dict[str, Any]) -> str:
    """Say what a receipt that belongs to the device means for it."""
    version, newest = answer["version"], answer["newest_version"]
    if answer["verdict"] == "accepted":
        again = " It had been entered before." if answer["repeated"] else ""
        return f"The receipt is accepted: the device runs version {version}.{again}"
    words = outcomes.sentence(answer["outcome"], device["networks"], device["platform"] or "")
    if answer["verdict"] == "failed":
        return f"The device tried version {version} and went back to what it had before. {words}"
    if version == newest:
        return f"The receipt is of an earlier try: the device has applied version {version} since."
    said = "applied" if answer["outcome"] == "ok" else "tried, without success,"
    return (
        f"The receipt is for an older bundle: the device {said} version {version}, and version "
        f"{newest} is the newest now. Have the device apply the newest bundle, and enter that "
        "receipt."
    )
