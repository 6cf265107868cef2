# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Which token a platform was asked for, until its answer has come."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("claim", sa.Column("asked", sa.JSON(none_as_null=True)))
