# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Answers of the portal, for its OpenAPI document; tests hold the real answers to these."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from muster_server.api import queries

UnixTime = Annotated[float, Field(description="Unix seconds")]
# A field that is there only sometimes; never null.
Sentence = Annotated[str, Field(default_factory=str, description="only if failed: what to do")]
Code = Annotated[str, Field(description="an outcome code", examples=["wifi_auth"])]


class View(BaseModel):
    """An answer. Fields may be added to it; tests see to it that each is listed."""


class Problem(View):
    """The reason of a refusal or failure (RFC 9457). `code` is stable."""

    title: str
    status: int
    code: str
    detail: str
    path: Annotated[str, Field(default_factory=str, description="the field at fault")]
    errors: Annotated[
        list["FieldError"],
        Field(default_factory=list, description="if several fields are wrong: each of them"),
    ]
    retry_s: Annotated[int, Field(default_factory=int, description="as Retry-After")]


class FieldError(View):
    """One of several fields at fault."""

    path: str
    detail: str


class Step(View):
    """The progress of one of the nine steps."""

    step: Annotated[int, Field(ge=1, le=9)]
    name: Annotated[str, Field(examples=["join the operational network"])]
    state: Literal["pending", "done", "failed"]
    code: Code | None
    ms: int | None
    at: UnixTime | None
    by: Annotated[
        Literal["bundle"],
        Field(default_factory=str, description="only if a person stood in for the network"),
    ]
    sentence: Sentence


class BundleView(View):
    """The progress of a bundle."""

    version: int
    state: Literal["prepared", "handed_out", "applied", "failed", "superseded", "expired"]
    sha256: Annotated[str, Field(description="of the bundle's text")]
    made_at: UnixTime
    expires_at: int | None
    handed_out_at: UnixTime | None
    receipt_at: UnixTime | None
    outcome: Annotated[str | None, Field(description="what its receipt said")]
    seen_at: Annotated[float | None, Field(description="when its device was seen at the platform")]


class CheckedBundle(BundleView):
    """The device of a bundle, and the bundle's progress."""

    device_id: str


class Bundles(View):
    """The newest first."""

    bundles: list[BundleView]


class Window(View):
    """The onboarding window."""

    open: bool
    until: UnixTime | None


class Last(View):
    """The outcome of the device's last try of a configuration."""

    config: int
    step: int
    code: Code
    detail: str
    sentence: str


class Facts(View):
    """The device's report of itself. `scan` holds SSID, channel, rssi and auth."""

    model: str
    board: str
    firmware: str
    micropython: str
    reset_cause: str
    hw: Annotated[str, Field(description="the chip's number", examples=["a0b1c2d3e4f5"])]
    heap: Annotated[
        list[list[int]],
        Field(description="MicroPython's: used, free; ESP-IDF's: free, in one piece"),
    ]
    scan: list[list[Any]]
    local_networks: Annotated[
        list[str],
        Field(description="SSIDs that somebody has given it at its setup page", max_length=4),
    ] = []
    state: Literal["blank", "trial", "committed"]


class Account(View):
    """The device's identity at its platform."""

    originator: str


class Event(View):
    """Something that the owner was told."""

    at: UnixTime
    code: str
    detail: str
    sentence: str


class Runs(View):
    """The configuration that the device runs."""

    version: Annotated[
        int | None, Field(description="null: it was seen at work, and nobody proved with which")
    ]
    since: UnixTime | None
    is_certain: Annotated[
        bool, Field(description="false: its label was used since, and said that it was reset")
    ]


class Attempt(View):
    """The newest try of a configuration, and how far it came. A failure that healed is none."""

    state: Literal["under_way", "ok", "failed"]
    version: int | None
    step: Annotated[int, Field(description="where it is, or where it failed")]
    code: Annotated[Code | None, Field(description="null: it is under way")]
    detail: str
    at: UnixTime | None
    sentence: str


class WaitingFor(View):
    """The next thing that somebody has to do."""

    who: Literal["you", "device", "platform", "nothing"]
    what: Annotated[str, Field(examples=["press"], description="a word for programs")]
    at: Annotated[float | None, Field(description="about when, or until when (Unix seconds)")]
    version: Annotated[int | None, Field(description="the newest that was made")]
    sentence: str


class Heard(View):
    """The newest word that came from the device."""

    at: UnixTime
    by: Literal["sync", "receipt", "platform"]
    address: Annotated[str | None, Field(description="of a sync")]
    key: Annotated[str | None, Field(description="`label`, or the version whose key it was")]


class LabelUsed(View):
    """Somebody used the label while its window was closed: the device, or who once had it."""

    at: UnixTime
    address: str
    state: Literal["blank", "trial", "committed"]


class Standing(View):
    """The four facts that are told of a device, everywhere."""

    runs: Annotated[Runs | None, Field(description="null: nothing")]
    attempt: Annotated[Attempt | None, Field(description="null: there was none yet")]
    waiting_for: WaitingFor
    last_heard: Heard | None
    label_used: Annotated[
        LabelUsed | None, Field(description="null once the device has spoken since")
    ]


class DeviceEntry(Standing):
    """A device in a list."""

    device_id: Annotated[str, Field(examples=["PRESS-4"])]
    name: str
    profile: str
    state: queries.State
    claim: Literal["unproved", "proved", "displaced"]
    version: Annotated[int, Field(description="the one that the device has proved")]
    seen_at: UnixTime | None
    networks: list[str]
    platform: Annotated[str | None, Field(description="its URL")]
    group: Annotated[str, Field(description="empty: none", examples=["hall 3"])]
    tags: list[str]


class Devices(View):
    """Devices in the order of their ids, or in the one that was asked for."""

    devices: list[DeviceEntry]
    next: Annotated[
        str | None, Field(description="ask again with ?after= this; null: there are no more")
    ]


class DeviceCounts(View):
    """The number of devices, and of those in each state and of each profile. Above 5,000 devices
    the counts may be half a minute old.
    """

    devices: int
    states: Annotated[dict[str, int], Field(examples=[{"registered": 98, "failed": 2}])]
    profiles: dict[str, int]
    groups: Annotated[dict[str, int], Field(examples=[{"hall 3": 40}])]
    tags: dict[str, int]


class Device(DeviceEntry):
    """The progress of a device, step by step."""

    registered_at: UnixTime
    expires_at: UnixTime | None
    is_expired: bool
    window: Window
    issued_version: int
    steps: Annotated[list[Step], Field(min_length=9, max_length=9)]
    bundle: Annotated[BundleView | None, Field(description="the newest one")]
    last: Last | None
    device: Facts | None
    account: Account
    events: list[Event]


class ClosedAccount(View):
    """An account that is closed at its platform."""

    platform: Annotated[str, Field(description="its URL")]
    originator: str


class HandOver(View):
    """A device that was released to somebody else, and what is left to do."""

    device_id: str
    name: str
    profile: str
    networks: Annotated[
        list[str], Field(description="networks whose passwords the device was given")
    ]
    accounts: list[ClosedAccount]
    to_do: Annotated[list[str], Field(description="sentences, in order")]


class BulkVerdict(View):
    """The verdict on one label. `device_id` is null if the label could not be read."""

    device_id: str | None
    verdict: Literal["added", "known", "refused"]
    detail: str


class BulkVerdicts(View):
    """In the order of the labels."""

    devices: list[BulkVerdict]


class VendorVerdict(View):
    """The verdict on one label. `device_id` is null if the label could not be read."""

    device_id: str | None
    verdict: Literal["added", "known", "refused"]
    detail: str


class VendorVerdicts(View):
    """In the order of the labels."""

    devices: list[VendorVerdict]


class ReceiptVerdict(View):
    """The verdict on a receipt."""

    device_id: str
    verdict: Literal["accepted", "failed", "superseded"]
    version: Annotated[int, Field(description="of the bundle that the receipt is for")]
    newest_version: int
    outcome: Code
    repeated: Annotated[bool, Field(description="it had been entered before")]
    sentence: str


class Entry(View):
    """Something that device, servers or platform saw."""

    source: Literal["device", "portal", "config", "platform"]
    at: Annotated[float, Field(description="Unix seconds; a device's are reckoned back")]
    until: Annotated[float, Field(description="of the last time, if `times` is above 1")]
    times: int
    what: Annotated[str, Field(examples=["handed_out"])]
    said: Annotated[str, Field(examples=["a configuration was handed out"])]
    step: int | None
    code: Code
    ms: int | None
    detail: str
    is_first_cause: bool


class Cause(Entry):
    """The first cause of the last failure, and what to do about it."""

    sentence: str
    is_overcome: Annotated[bool, Field(description="it worked since")]


class Timeline(View):
    """In the order of time."""

    device_id: str
    platform: Annotated[bool, Field(description="false: it could not be asked")]
    entries: list[Entry]
    first_cause: Cause | None


class Reading(View):
    """One value that a device published."""

    id: Annotated[str, Field(description="its place, for ?after=")]
    at: Annotated[float | None, Field(description="when it came to the platform (Unix seconds)")]
    name: Annotated[
        str | None, Field(description="null: not in the form of `session.publish`", examples=["t"])
    ]
    value: Any


class Readings(View):
    """The oldest first."""

    device_id: str
    platform: Annotated[str, Field(description="its URL")]
    container: Annotated[str, Field(description="the path of the container there")]
    readings: list[Reading]
    is_gap: Annotated[
        bool, Field(description="there may be some after `after` that nobody can see any more")
    ]


class ReaderEntry(View):
    """An account that may only read the owner's devices, or command them, too."""

    name: str
    kind: Literal["reader", "application"]
    originator: str
    created_at: UnixTime


class IssuedReader(ReaderEntry):
    """A reader with its token, which is shown this once."""

    token: str
    platform: Annotated[str, Field(description="the URL at which it reads")]


class Readers(View):
    """In the order of their names."""

    readers: list[ReaderEntry]


class ProfileNames(View):
    """In the order of the alphabet."""

    profiles: list[str]
