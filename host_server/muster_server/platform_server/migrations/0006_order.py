# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Indexes that have the resources in the order in which searches tell them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_DEPTH = sa.text("(length(path) - length(replace(path, '/', '')))")
_AGE = sa.text("(CASE WHEN ty = 4 THEN -seq ELSE seq END)")


def upgrade() -> None:
    op.create_index("resources_in_order", "resources", [_DEPTH, _AGE, "ty", "owner", "seq"])
    op.create_index("resources_by_type", "resources", ["ty", _DEPTH, _AGE, "owner", "seq"])
