# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Documents of profiles and versions that were opened lately, each opened and parsed once.

They are kept by what was sealed: what changes is sealed anew, so what is found here is what the
database holds.
"""

import json
from functools import lru_cache
from typing import Any

from muster_server.store.secrets import SecretBox

_OPENED = 512  # documents that stay open


class OpenedDocuments:
    """Documents by what they were sealed as. The same blob gives the same object, as long as it is
    kept, and nobody changes it.
    """

    def __init__(self, box: SecretBox) -> None:
        self._box = box
        self.document = lru_cache(_OPENED)(self._opened)

    def _opened(self, table: str, row: str, blob: bytes) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._box.open(blob, table, "document", row))
        return document
