# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The errors of the harness. Each message says what was wanted, what came and what to try."""

import re


class HarnessError(Exception):
    """Root of the harness's errors."""


class InterpreterError(HarnessError):
    """No MicroPython interpreter that this host can run, or one that does not start."""


class BoardError(HarnessError):
    """The board is not in the state that a call needs, or has stopped working."""


class ExpectTimeout(HarnessError):
    """A pattern did not appear in time; the message shows the last lines and the log's path."""


class DeployError(HarnessError):
    """Files could not be put on a board, or are not what was sent."""


class AirError(HarnessError):
    """The air cannot be as the script wants it (no free addresses, two equal names)."""


class JoinRefused(AirError):
    """An access point does not let a visitor in; `reason` is the driver's, e.g. 202."""

    def __init__(self, message: str, reason: int):
        super().__init__(message)
        self.reason = reason


class RemoteError(HarnessError):
    """Code on the board ended in an exception; the message is the board's traceback.

    `kind` is the exception's name there, e.g. "ValueError", and `detail` the text after it.
    """

    def __init__(self, traceback: str):
        super().__init__(traceback)
        last = traceback.strip().splitlines()[-1] if traceback.strip() else ""
        self.kind, _, self.detail = last.partition(": ")

    @staticmethod
    def of(traceback: str) -> "RemoteError":
        """Make the error that fits a traceback: RemoteOSError for an OSError, else RemoteError."""
        # what stands for C on a board has no frames there (esp32/shim_cache.py)
        traceback = re.sub(r'(?m)^  File "<board>".*\n', "", traceback)
        error = RemoteError(traceback)
        return RemoteOSError(traceback) if error.kind == "OSError" else error


class RemoteOSError(RemoteError, OSError):
    """Code on the board ended in an OSError.

    `errno` is the board's number, or None if it had none. An ESP32's network errors have other
    numbers than Linux's.
    """

    def __init__(self, traceback: str):
        super().__init__(traceback)
        # e.g. "[Errno 2] ENOENT", "(-2, 'Wifi Internal Error')", "28"
        found = re.match(r"(?:\[Errno |\()?(-?\d+)\b", self.detail)
        self.errno = int(found[1]) if found else None


class PortError(BoardError):
    """A serial port cannot be used: it is absent, held by somebody, or has vanished."""


class Flooded(BoardError):
    """A board sends so much, or for so long, that nothing else gets through."""


class BoardReset(BoardError):
    """The board began anew while it was working for us, with the ROM's reason for it."""


class CannotDo(HarnessError):
    """The unit has no such capability, e.g. a button that nobody has wired."""


class RigError(HarnessError):
    """A rig file cannot be read, or asks for something that there is not."""


class NotMicroPython(BoardError):
    """The board or program behind a port does not answer as MicroPython does at its REPL."""


class WrongBoard(DeployError):
    """The firmware is for another board than the one behind the port."""


class FilesystemFull(DeployError):
    """The files have no room; the files that were there before still are."""


class ForeignFiles(DeployError):
    """Somebody else put files there that would be replaced or removed, and nobody agreed."""


class ImageError(DeployError):
    """A MicroPython image could not be written, or does not start."""


class SelfTestFailed(HarnessError):
    """A part of a board does not work, though its files and its identity are there."""


class Interrupted(HarnessError):
    """A person has stopped the work between two steps."""


class IdentityPresent(HarnessError):
    """A board has an identity already, and nobody said that it may be replaced."""


class LabelRefused(HarnessError):
    """A label cannot be understood; `path` is `format`, `device_id`, `secret` or `check`."""

    def __init__(self, message: str, path: str):
        super().__init__(message)
        self.path = path


class BundleRefused(HarnessError):
    """A device, or already this host, does not take a bundle; `code` is the outcome code."""

    def __init__(self, code: str, detail: str):
        super().__init__(f"the bundle is refused, {code}: {detail}")
        self.code = code
