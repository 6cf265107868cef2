# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The time by which things expire: a jump of the clock is believed late, and never in silence.

A clock that jumps by 400 days, for one answer of a time server or one empty battery, would end
every registration and every claim. The monotonic clock knows better how much time has passed. What
it does not agree with is believed once both have gone on together for three days since the jump;
the time that was believed last is kept in a file, so a start does not make a jump true.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from muster_server.errors import SettingsError
from muster_server.private_files import read_private, write_private

SLACK_S = 3600.0  # two clocks may differ so much
OFF_S = 86_400.0  # so long a machine may be off before its clock is in doubt
BELIEVED_AFTER_S = 3 * 86_400.0
SAVED_EVERY_S = 600.0
SAID_EVERY_S = 3600.0

log = logging.getLogger(__name__)


def since_boot() -> float:
    """Return the seconds of a clock that nobody sets, and that counts while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; others have no other name for it
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class ExpiryClock:
    """Gives the earlier of the clock's time and the time that is believed, in Unix seconds.

    So nothing ends too early, whichever way the clock has jumped. Safe for threads.
    """

    def __init__(
        self,
        kept: Path,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = since_boot,
    ) -> None:
        self._kept = kept
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        now, passed = clock(), monotonic()
        last = _saved(kept)
        in_doubt = last is not None and not -SLACK_S <= now - last <= OFF_S
        # What to add to the monotonic clock: as believed, and as the clock has it since when.
        self._believed = (last if in_doubt and last is not None else now) - passed
        self._seen, self._seen_since = now - passed, passed
        self._said_at: float | None = None
        self._due_at = passed  # when the time is to be saved again
        self._calm_until = passed

    def __call__(self) -> float:
        """Return the time; a jump is logged, at once and every hour."""
        now, passed = self._clock(), self._monotonic()
        offset = now - passed
        is_seen = abs(offset - self._seen) <= SLACK_S
        if is_seen and abs(offset - self._believed) <= SLACK_S and passed < self._calm_until:
            return now  # nothing has happened, and nothing is to be done: as nearly always
        with self._lock:
            if abs(offset - self._seen) > SLACK_S:
                self._seen, self._seen_since = offset, passed
                self._said_at = None
            if passed - self._seen_since >= BELIEVED_AFTER_S:
                self._believe(offset, passed)
            believed = self._believed + passed
            if abs(now - believed) <= SLACK_S:
                believed = now
            else:
                self._complain(now, believed, passed)
            self._save(believed, passed)
            self._calm_until = min(self._due_at, self._seen_since + BELIEVED_AFTER_S)
            return min(now, believed)

    def latest(self) -> float:
        """Return the later of the two: from then on a life is counted, so that it ends late."""
        believed_or_earlier = self()
        return max(self._clock(), believed_or_earlier, self._believed + self._monotonic())

    def _believe(self, offset: float, passed: float) -> None:
        if abs(offset - self._believed) > SLACK_S:
            log.warning("the jump of the clock is believed now: things expire by it from here on")
        self._believed, self._seen_since, self._said_at = offset, passed, None

    def _complain(self, now: float, believed: float, passed: float) -> None:
        if self._said_at is not None and passed - self._said_at < SAID_EVERY_S:
            return
        self._said_at = passed
        left_h = (BELIEVED_AFTER_S - (passed - self._seen_since)) / 3600
        log.error(
            "the clock has jumped by %+.1f days: it says %s, and by the time that has passed it "
            "is %s. Nothing expires by the new time for another %.0f hours. If it is wrong, set "
            "it right before that; if it is right, there is nothing to do",
            (now - believed) / 86_400,
            _written(now),
            _written(believed),
            left_h,
        )

    def _save(self, believed: float, passed: float) -> None:
        if passed < self._due_at:
            return
        self._due_at = passed + SAVED_EVERY_S
        try:
            write_private(self._kept, f"{believed:.0f}\n".encode())
        except OSError as error:
            log.error("%s cannot be written: %s", self._kept, error.strerror)


def _saved(path: Path) -> float | None:
    try:
        return float(read_private(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, SettingsError) as error:
        log.error("%s is passed over: %s", path, error)
        return None


def _written(unix_s: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.gmtime(unix_s))
    except (OverflowError, ValueError, OSError):
        return f"{unix_s:.0f} s"
