# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The maker of a resource, what governs it, and accounts that do more than read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("resources", sa.Column("creator", sa.String(64)))
    op.add_column("resources", sa.Column("governed_by", sa.String(64)))
    governed = sa.text("governed_by IS NOT NULL")
    op.create_index(
        "resources_governed_by",
        "resources",
        ["governed_by"],
        sqlite_where=governed,
        postgresql_where=governed,
    )
    kind = sa.Column("kind", sa.String(16), nullable=False, server_default="reader")
    op.add_column("readers", kind)
