# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The filters of the list of devices, as its address has them."""

from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, field_validator

from muster_server.api import bounds
from muster_server.api.queries import WantedDevices

A_PAGE = 50
SHOWN = ("all", "you", "registered", "failed")
SORTED = ("id", "name", "heard")

Short = Annotated[str, Field(max_length=64)]


class Asked(BaseModel):
    """Words of the address; an empty one asks for nothing."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    show: Short = "all"
    group: Short = ""
    tag: Short = ""
    profile: Short = ""
    search: Short = ""
    behind: Annotated[str, Field(max_length=3)] = ""
    sort: Short = "id"
    after: Annotated[str, Field(max_length=bounds.PLACE[1])] = ""

    @field_validator("show", "sort")
    @classmethod
    def _known(cls, value: str) -> str:
        return value if value in (*SHOWN, *SORTED) else "all"

    def wanted(self) -> WantedDevices:
        """The same as the service is asked."""
        sort = self.sort if self.sort in SORTED else "id"
        document: dict[str, Any] = {"sort": sort, "limit": A_PAGE}
        document["after"] = self.after.upper() if sort == "id" else self.after
        if self.show == "you":
            document["waiting_for"] = "you"
        elif self.show in SHOWN[2:]:
            document["state"] = self.show
        for name in ("group", "profile", "search"):
            document[name] = getattr(self, name).strip() or None
        document["tag"] = self.tag.strip()[: bounds.TAG_NAME[1]] or None
        document["behind"] = bool(self.behind and document["profile"])
        return WantedDevices(**document)

    @property
    def is_narrowed(self) -> bool:
        """Tell whether some devices may be left out."""
        words = (self.group, self.tag, self.profile, self.search, self.behind, self.after)
        return any(words) or self.show not in ("all", "id", "")

    def address(self, **changed: str) -> str:
        """Return the address of the list with these words in place of its own, without `after`."""
        words = {**self.model_dump(exclude={"after"}), **changed}
        default = Asked()
        query = {n: v for n, v in words.items() if v and v != getattr(default, n)}
        return "/devices" + (f"?{urlencode(query)}" if query else "")
