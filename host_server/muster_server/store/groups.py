# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Groups and tags of devices; a part of the configuration server's records.

They belong to a device and its owner, not to a claim: a label that is typed again changes none.
"""

from collections.abc import Iterable

from muster_server.store.sql import Sql, insertion, replacement

_ABOUT = "owner = ? AND device_id = ?"
_PUT_GROUP = replacement("device_group", ("owner", "device_id", "name"), "owner", "device_id")
_ADD_TAG = insertion("device_tag", ("owner", "device_id", "name")) + " ON CONFLICT DO NOTHING"


class GroupRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def group_of(self, owner: str, device_id: str) -> str:
        """The name of its group; an empty text if it has none."""
        text = f"SELECT name FROM device_group WHERE {_ABOUT}"  # noqa: S608 - our own names
        return self._sql.value(text, owner, device_id) or ""

    def tags_of(self, owner: str, device_id: str) -> list[str]:
        """Return the tags of a device, in order."""
        text = f"SELECT name FROM device_tag WHERE {_ABOUT} ORDER BY name"  # noqa: S608
        return [row[0] for row in self._sql.rows(text, owner, device_id)]

    def put_group(self, owner: str, device_id: str, name: str) -> None:
        """Put it into this group, and out of a former one; an empty name: into none."""
        if name:
            self._sql.run(_PUT_GROUP, owner, device_id, name)
        else:
            self._sql.run(f"DELETE FROM device_group WHERE {_ABOUT}", owner, device_id)  # noqa: S608

    def add_tags(self, owner: str, device_id: str, tags: Iterable[str]) -> None:
        """Give it these as well."""
        self._sql.run_many(_ADD_TAG, ((owner, device_id, tag) for tag in tags))

    def remove_tags(self, owner: str, device_id: str, tags: Iterable[str]) -> None:
        """Take these away, as far as it has them."""
        text = f"DELETE FROM device_tag WHERE {_ABOUT} AND name = ?"  # noqa: S608
        self._sql.run_many(text, ((owner, device_id, tag) for tag in tags))

    def put_tags(self, owner: str, device_id: str, tags: Iterable[str]) -> None:
        """Give it these tags in place of all former ones."""
        self._sql.run(f"DELETE FROM device_tag WHERE {_ABOUT}", owner, device_id)  # noqa: S608
        self.add_tags(owner, device_id, tags)

    def forget(self, owner: str, device_id: str) -> None:
        """Forget group and tags, unless another claim of the owner is left."""
        text = f"SELECT id FROM claim WHERE {_ABOUT} AND state != 'released' LIMIT 1"  # noqa: S608
        if self._sql.row(text, owner, device_id) is None:
            self.put_group(owner, device_id, "")
            self.put_tags(owner, device_id, ())

    def counts(self, owner: str) -> tuple[dict[str, int], dict[str, int]]:
        """The number of devices in each group, and with each tag."""
        return self._by("device_group", owner), self._by("device_tag", owner)

    def _by(self, table: str, owner: str) -> dict[str, int]:
        text = f"SELECT name, count(*) FROM {table} WHERE owner = ? GROUP BY name ORDER BY name"  # noqa: S608
        return {row[0]: row[1] for row in self._sql.rows(text, owner)}
