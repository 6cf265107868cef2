# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tasks, which are done to many devices a few at a time, and who works at them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("arguments", sa.JSON, nullable=False),
        sa.Column("by_whom", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
    )
    op.create_index("task_of_owner", "task", ["owner", "created_at"])
    op.create_index("task_by_state", "task", ["state", "created_at"])
    op.create_table(
        "task_row",
        sa.Column("task_id", sa.Text, sa.ForeignKey("task.id", ondelete="CASCADE")),
        sa.Column("number", sa.Integer),
        sa.Column("stage", sa.Integer, nullable=False),
        sa.Column("device_id", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("label", sa.LargeBinary),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("task_id", "number"),
    )
