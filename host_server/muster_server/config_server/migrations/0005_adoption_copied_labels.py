# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Keep each claim's adoption secret, and to whom a version was handed out under the label.

A claim that is there already gets its secret with its device's next version. A proved one whose
window was opened without an end gets one.
"""

import time

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("claim", sa.Column("adoption", sa.LargeBinary))
    op.add_column("version", sa.Column("handed_to", sa.JSON(none_as_null=True)))
    endless = sa.text(
        "UPDATE claim SET window_until = :until"
        " WHERE window_open = 1 AND window_until IS NULL AND state != 'unproved'"
    )
    op.get_bind().execute(endless, {"until": time.time() + 24 * 3600})
