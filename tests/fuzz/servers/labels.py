# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Label text: as scanned, as typed, as anything."""

from muster_server.errors import LabelRefused
from muster_server.label import parse_label
from tests.fuzz.mutation import changed_bytes, changed_text
from tests.fuzz.servers.target import Finding, goldens, some

_WORDS = [b"MUSTER", b":1:", b":", b"#", b"https://portal.example/add#", b" ", b"\xc4\xb1"]


class LabelText:
    name = "label"

    def __init__(self) -> None:
        self._texts = [case.get("typed", case["label"]) for case in goldens("labels")]

    def case(self) -> str:
        text = str(some(self._texts))
        if some([True, False]):
            return changed_text(text)
        raw = changed_bytes(text.encode(), str(some(self._texts)).encode(), _WORDS)
        return raw.decode("utf-8", "replace")

    def play(self, case: str) -> None:
        try:
            label = parse_label(case)
        except LabelRefused as error:
            if error.path not in ("format", "device_id", "secret", "check"):
                raise Finding(f"refused without saying where: {error}") from None
            return
        if parse_label(label.qr_text) != label:
            raise Finding(f"{label} does not survive being printed and read")

    def close(self) -> None:
        pass
