# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Looking into a board that is at work: its program is stopped for that, and begins anew after."""

import contextlib
from collections.abc import Callable, Iterator

from muster_harness.commands.follow import restarted
from muster_harness.errors import HarnessError
from muster_harness.wire.repl import REPL


@contextlib.contextmanager
def looked_into(port: str, say: Callable[[str], None]) -> Iterator[REPL]:
    """A REPL without the program; on the way out, errors or not, the program starts again.

    Raises the errors of REPL. That the program could not be started is said, and is no error: the
    answers are there.
    """
    with contextlib.ExitStack() as after, REPL(port, soft_reset=True, say=say) as repl:
        after.callback(_start_again, port, say)
        yield repl


def _start_again(port: str, say: Callable[[str], None]) -> None:
    try:
        restarted(port)
    except HarnessError as error:
        say(f"the board's program may stand still ({error}); its reset button starts it again")
