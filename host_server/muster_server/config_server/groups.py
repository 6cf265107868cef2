# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Groups and tags: how an owner sorts many devices. No device is ever told of them."""

import re
from collections.abc import Sequence

from muster_server.api import bounds
from muster_server.document import wrong
from muster_server.store.config import Records

# A comma parts tags where people type them; what cannot be seen could not be typed again.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def checked_group(name: str) -> str:
    """The name of a group without white space around it; an empty one is none. Invalid."""
    return _checked(name, bounds.GROUP, "group")


def checked_tags(tags: Sequence[str]) -> list[str]:
    """The tags in order, each once. Raises Invalid for one that cannot be typed, or too many."""
    if len(tags) > bounds.TAGS[1]:
        raise wrong("tags", f"wanted at most {bounds.TAGS[1]}, got {len(tags)}")
    found = {_checked(tag, bounds.TAG_NAME, "tags") for tag in tags}
    if any("," in tag for tag in found):
        raise wrong("tags", "a tag has no comma in it")
    return sorted(found)


def _checked(text: str, limits: tuple[int, int], path: str) -> str:
    low, high = limits
    name = text.strip()
    if not low <= len(name) <= high:
        raise wrong(path, f"wanted {low} to {high} characters, got {len(name)}")
    if _UNSEEN.search(name):
        raise wrong(path, "there is a character in it that cannot be seen")
    return name


def mark(
    records: Records,
    owner: str,
    device_id: str,
    group: str | None,
    tags: Sequence[str] | None,
    added: Sequence[str] = (),
    removed: Sequence[str] = (),
) -> None:
    """Put a device into a group, and give it tags; None: as it is. All were checked before.

    Raises Invalid if it would have too many tags.
    """
    if group is not None:
        records.groups.put_group(owner, device_id, group)
    if tags is not None:
        records.groups.put_tags(owner, device_id, tags)
    records.groups.remove_tags(owner, device_id, removed)
    records.groups.add_tags(owner, device_id, added)
    if added and len(records.groups.tags_of(owner, device_id)) > bounds.TAGS[1]:
        raise wrong("tags", f"it would have more than {bounds.TAGS[1]} tags")
