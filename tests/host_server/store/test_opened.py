# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a document that was opened before say what is stored, and nothing else?"""

import pytest

from muster_server.document import compact_json
from muster_server.errors import StoreError
from muster_server.store import opened
from muster_server.store.opened import OpenedDocuments
from muster_server.store.secrets import SecretBox

BOX = SecretBox(bytes(32))


def sealed(document: dict[str, int], place: str = "a/1") -> bytes:
    return BOX.seal(compact_json(document).encode(), "version", "document", place)


def test_document_is_opened_once() -> None:
    documents, blob = OpenedDocuments(BOX), sealed({"n": 1})
    first = documents.document("version", "a/1", blob)
    assert first == {"n": 1}
    assert documents.document("version", "a/1", bytes(bytearray(blob))) is first


def test_what_was_moved_or_changed_does_not_open_for_being_known() -> None:
    documents, blob = OpenedDocuments(BOX), sealed({"n": 1})
    documents.document("version", "a/1", blob)
    for table, place, stored in (
        ("version", "a/2", blob),
        ("profile", "a/1", blob),
        ("version", "a/1", blob[:-1] + bytes([blob[-1] ^ 1])),
    ):
        with pytest.raises(StoreError):
            documents.document(table, place, stored)


def test_they_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "_OPENED", 2)
    documents = OpenedDocuments(BOX)
    blobs = [sealed({"n": n}) for n in range(5)]
    found = [documents.document("version", "a/1", blob) for blob in blobs]
    assert [document["n"] for document in found] == list(range(5))
    assert documents.document.cache_info().currsize == 2
