# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Resources as rows of their table, and back."""

import json
import operator
from collections.abc import Mapping
from json import encoder
from typing import Any

from muster_server.store.platform_records import Resource

# What a resource's row holds besides its place in the order.
KEPT = (
    *("ri", "ty", "rn", "pi", "path", "owner", "ct", "lt", "et", "creator", "governed_by"),
    "attributes",
)
READ = ("seq", *KEPT)
_PLAIN = operator.attrgetter(*KEPT[:-1])  # all but the attributes
_ENCODER = json.JSONEncoder(separators=(",", ":"))
# What `_ENCODER.encode` makes anew each time, which takes longer than to write most attributes.
_WRITTEN = encoder.c_make_encoder(  # type: ignore[attr-defined] # not in typeshed
    None, _ENCODER.default, encoder.encode_basestring_ascii, None, ":", ",", False, False, True
)


def values_of(resource: Resource) -> tuple[Any, ...]:
    """The columns of KEPT."""
    return (*_PLAIN(resource), attributes_as_text(resource.attributes))


def attributes_as_text(attributes: Mapping[str, Any]) -> str:
    """The attributes in JSON, as their column has them."""
    return "".join(_WRITTEN(dict(attributes), 0))


def from_row(row: Any) -> Resource:
    """The resource of which these are the columns of READ."""
    # As its constructor does it, at a third of the cost: each request reads some.
    made = object.__new__(Resource)
    made.__dict__.update(zip(READ, row, strict=True))
    made.__dict__["attributes"] = json.loads(row[-1])
    return made
