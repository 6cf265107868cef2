# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Turns of the platform: a transaction says what it is about, and keeps to it.

On PostgreSQL, transactions about different things run beside each other. A thing is an account, by
its originator, or what lies under the CSEBase by one name: an AE or a node with all that is under
it. Whatever a transaction is about to write is looked at first, so none can write what another one
may be at.
"""

from collections.abc import Set as AbstractSet


class NotAlone(Exception):
    """The transaction meets what it has not said that it is about; without a word it may go on."""


class Turn:
    """The things that one transaction may write; None: everything, for it is alone."""

    def __init__(self, about: AbstractSet[str] | None = None) -> None:
        self._about = about

    def check_path(self, path: str) -> None:
        """Raise NotAlone if the resource at this path is about something else."""
        if self._about is not None and root_of(path) not in self._about:
            raise NotAlone(path)

    def check_account(self, originator: str) -> None:
        """Raise NotAlone if this account is something else."""
        if self._about is not None and originator not in self._about:
            raise NotAlone(originator)

    def check_alone(self) -> None:
        """Raise NotAlone if other transactions may run beside this one."""
        if self._about is not None:
            raise NotAlone

    @property
    def is_alone(self) -> bool:
        """Tell whether no other transaction runs beside this one."""
        return self._about is None


def root_of(path: str) -> str:
    """The name under the CSEBase of what lies at a path: "nod-P" for "cse-in/nod-P/fic"."""
    _, _, rest = path.partition("/")
    return rest.partition("/")[0]
