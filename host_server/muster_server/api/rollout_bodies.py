# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bodies and queries about profile versions, roll-outs and passwords. A repr shows no secret."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from muster_server.api import bounds
from muster_server.api.bodies import number as integer
from muster_server.api.bodies import text
from muster_server.api.reading import Body

Number = Annotated[int, integer((1, bounds.HIGHEST), description="of a profile's version")]
Deed = Literal["go-on", "stop", "abort", "finish"]
_SSID = (1, 64)  # as it is shown, base64 too


class Wave(Body):
    """The devices of a wave: a part of all, a number of them, or a group. One of the three."""

    percent: Annotated[int | None, integer((1, 100))] = None
    number: Annotated[int | None, integer((1, 1_000_000))] = None
    group: Annotated[str | None, text((1, bounds.GROUP[1]))] = None


class NewRollout(Body):
    """A version on its way to devices. Whoever is in no wave comes last."""

    profile: Annotated[str, text(bounds.PROFILE_NAME, examples=["press"])]
    number: Number
    waves: Annotated[list[Wave], Field(max_length=bounds.WAVES)] = []
    automatic: Annotated[bool, Field(description="the next wave begins by itself")] = False
    most_failed: Annotated[
        int, integer((0, 1_000_000), description="more failures than that stop it")
    ] = 0
    need_percent: Annotated[
        int, integer((1, 100), description="of a wave have to succeed before the next one")
    ] = 100


class NewPassword(Body):
    """Another password for a network, beside the old one."""

    ssid: Annotated[str, text(_SSID, examples=["factory"])]
    psk: Annotated[str, text((1, bounds.RAW_KEY), repr=False)]
    draft: Annotated[bool, Field(description="keep a version that is rolled out in waves")] = False


class EndedChange(Body):
    """The end of a change: which password stays."""

    ssid: Annotated[str, text(_SSID, examples=["factory"])]
    keep: Literal["new", "old"] = "new"
    confirmed: Annotated[bool, Field(description="though devices have not got it yet")] = False


class WantedDifference(BaseModel):
    """Two versions."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    old: Number
    new: Number


class WantedMembers(BaseModel):
    """Filter and paging of a roll-out's devices."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    state: Literal["waiting", "offered", "held", "succeeded", "failed"] | None = None
    after: Annotated[str, text(bounds.ID, description="go on after this id")] = ""
    limit: Annotated[int, integer(bounds.PAGE)] = 100
