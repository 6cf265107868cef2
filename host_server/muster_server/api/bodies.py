# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bodies that the portal and the configuration server are sent. A repr shows no secret."""

from typing import Annotated, Any, Literal

from pydantic import Field

from muster_server.api import bounds
from muster_server.api.reading import Body
from muster_server.document import LARGEST_INT


def text(limits: tuple[int, int], **more: object) -> object:
    """The description of a text of so many characters."""
    low, high = limits
    return Field(min_length=low or None, max_length=high, **more)  # type: ignore[call-overload]


def number(limits: tuple[int, int], **more: object) -> object:
    """The description of an integer within these bounds."""
    low, high = limits
    return Field(ge=low, le=high, **more)  # type: ignore[call-overload]


LabelText = Annotated[
    str, text(bounds.LABEL, repr=False, examples=["MUSTER:1:PRESS-4:AAAQEAYEAUDAOCAJBIFQ…"])
]


Until = Annotated[
    Annotated[int, number((1, LARGEST_INT))] | None,
    Field(
        description="when the onboarding window ends, in Unix seconds: 14 days from now at most; "
        "null: in 24 hours, or with a claim that nobody has proved",
        examples=[1795516800],
    ),
]


class NewDevice(Body):
    """Step 1: which device, and which profile it is configured from."""

    label: LabelText
    profile: Annotated[str, text(bounds.PROFILE_NAME, examples=["press"])]
    name: Annotated[str, text(bounds.DEVICE_NAME, examples=["press 4"])] = ""
    until: Until = None


GroupName = Annotated[
    str, text(bounds.GROUP, description="an empty text: none", examples=["hall 3"])
]
TagNames = Annotated[
    list[Annotated[str, text(bounds.TAG_NAME, examples=["spare"])]],
    Field(max_length=bounds.TAGS[1]),
]


class ChangedDevice(Body):
    """New values for a device; what is left out stays as it is."""

    profile: Annotated[str, text(bounds.PROFILE_NAME, examples=["press"])] | None = None
    name: Annotated[str, text(bounds.DEVICE_NAME, examples=["press 4"])] | None = None
    group: GroupName | None = None
    tags: TagNames | None = None


class Transfer(Body):
    """The next owner of a device, as the portal tells it, and the settings that it gets there."""

    to: Annotated[str, text(bounds.PROFILE_NAME, examples=["o-7d1f09c2ab"])]
    profile: Annotated[str, text(bounds.PROFILE_NAME, examples=["o-7d1f09c2ab.home"])]
    name: Annotated[str, text(bounds.DEVICE_NAME, examples=["press 4"])] = ""


class NewWindow(Body):
    """The end of the onboarding window that is opened now."""

    until: Until = None


class Claim(NewDevice):
    """Step 2: the same as the portal tells it, with the time that step 1 took."""

    portal_ms: Annotated[int, number((0, LARGEST_INT))] | None = None


class NamedLabel(Body):
    """One row of a table: a label, and how its device is to be called."""

    label: LabelText
    name: Annotated[str, text(bounds.DEVICE_NAME, examples=["press 4"])] = ""


class NewDevices(Body):
    """Step 1 for many devices: a profile, and the label of each."""

    profile: Annotated[str, text(bounds.PROFILE_NAME, examples=["press"])]
    devices: Annotated[
        list[NamedLabel],
        Field(min_length=bounds.LABELS[0], max_length=bounds.LABELS[1], repr=False),
    ]
    trial: Annotated[bool, Field(description="say what would happen, and keep nothing")] = False


class VendorDevices(Body):
    """Labels of devices that are not sold yet."""

    labels: Annotated[
        list[str],
        Field(min_length=bounds.LABELS[0], max_length=bounds.LABELS[1], repr=False),
    ]


class NewBundle(Body):
    """The life of a new bundle, the version that it has to exceed, and what it leaves out."""

    life_s: Annotated[int, number(bounds.BUNDLE_LIFE_S)] | None = Field(
        default=None, description="how long devices that know the time take it; null: for ever"
    )
    above: Annotated[
        int, number(bounds.ABOVE, description="a version that the device is known to have")
    ] = 0
    without_wifi: Annotated[
        bool,
        Field(
            description="leave the Wi-Fi networks out: whoever stands beside the device gives it "
            "one at its setup page; only where the profile says policy.local_wifi"
        ),
    ] = False


class BundleText(Body):
    """A bundle, white space and all."""

    bundle: Annotated[str, text(bounds.BUNDLE, repr=False)]


class NewReader(Body):
    """The name of a reader to be made, and what else it may: an application commands, too."""

    name: Annotated[str, text(bounds.READER_NAME, examples=["dashboard"])]
    kind: Literal["reader", "application"] = "reader"


class NewCommand(Body):
    """Words for a device's application, and how long it may still be told."""

    value: Annotated[
        Any,
        Field(
            repr=False,
            description=f"any JSON, at most {bounds.COMMAND_BYTES} bytes when it is compact",
            examples=[{"led": True}],
        ),
    ]
    life_s: Annotated[int, number(bounds.COMMAND_LIFE_S)] = 86_400


class TypedReceipt(Body):
    """A receipt as a person types it."""

    receipt: Annotated[str, text(bounds.RECEIPT, repr=False, examples=["ABCD EFGH"])]


class NewChange(Body):
    """New values for many devices; what is left out stays as it is."""

    profile: Annotated[str, text(bounds.PROFILE_NAME, examples=["press"])] | None = None
    group: GroupName | None = None
    added_tags: TagNames = []
    removed_tags: TagNames = []


class BegunTask(NewChange):
    """A task whose rows are sent afterwards."""

    kind: Literal["claim", "change"]
    by: Annotated[str, text(bounds.SEARCH)]


class TaskRow(Body):
    """A row of a task; with a verdict it is not looked at any more."""

    row: Annotated[int, number((1, bounds.HIGHEST))]
    label: Annotated[str | None, text(bounds.LABEL, repr=False)] = None
    name: Annotated[str, text(bounds.DEVICE_NAME)] = ""
    device_id: Annotated[str, text(bounds.ID)] | None = None
    verdict: Literal["known", "refused"] | None = None
    detail: Annotated[str, text((0, 512))] = ""


class TaskRows(Body):
    """Rows of a task, in the order of their numbers."""

    rows: Annotated[
        list[TaskRow],
        Field(min_length=bounds.TASK_ROWS[0], max_length=bounds.TASK_ROWS[1], repr=False),
    ]


class StartedTask(Body):
    """The start of a task, which may be a trial."""

    trial: Annotated[bool, Field(description="say what would happen, and keep nothing")] = False


class NewClaims(Body):
    """Step 1 for as many devices as a table has rows, as a task."""

    profile: Annotated[str, text(bounds.PROFILE_NAME, examples=["press"])]
    csv: Annotated[
        str,
        Field(
            max_length=bounds.CSV_BYTES,
            repr=False,
            description="a row with a label for each device; a column headed `name` if wanted",
        ),
    ]


class NewChanges(NewChange):
    """New values for devices by their ids, as a task."""

    devices: Annotated[
        list[Annotated[str, text(bounds.ID)]], Field(min_length=1, max_length=100_000)
    ]
