# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The bench's own record of the labels it has written: a CSV that only its owner may read.

`muster device import` takes the file unchanged: the label stands in the last column.
"""

import csv
import os
import stat
import time
from pathlib import Path

from muster_harness.deploy.labels import Label
from muster_harness.errors import HarnessError

_COLUMNS = ("written_at", "device_id", "setup_passphrase", "label")


class LabelBook:
    """An open CSV; a context manager.

    Raises HarnessError if it cannot be written, or if others may read it.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
            self._fd = os.open(self.path, flags, 0o600)
        except OSError as e:
            raise HarnessError(
                f"cannot write the labels to {self.path} ({e.strerror}); name another file "
                "with --csv"
            ) from None
        mode = stat.S_IMODE(os.fstat(self._fd).st_mode)
        if mode & 0o077:
            os.close(self._fd)
            raise HarnessError(
                f"{self.path} holds secrets and others may read it (mode {mode:04o}); "
                f"chmod 600 {self.path}, then try again"
            )

    def __enter__(self) -> "LabelBook":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def add(self, label: Label) -> None:
        """Append a line; on return it is on the disk.

        Raises HarnessError if it cannot be written.
        """
        try:
            self._append(label)
        except OSError as e:
            raise HarnessError(
                f"the label of {label.device_id} cannot be noted in {self.path} ({e.strerror}); "
                "make room, or name another file with --csv"
            ) from None

    def _append(self, label: Label) -> None:
        with os.fdopen(os.dup(self._fd), "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if file.tell() == 0:
                writer.writerow(_COLUMNS)
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            writer.writerow((now, label.device_id, label.setup_passphrase, label.text))
            file.flush()
            os.fsync(file.fileno())
