# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tallies in parts, so that devices of one owner need not wait for each other to be counted."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_KEY = "owner, day, step, code, magnitude"


def upgrade() -> None:
    op.rename_table("step_tally", "whole_step_tally")
    op.create_table(
        "step_tally",
        sa.Column("owner", sa.Text),
        sa.Column("day", sa.Integer),
        sa.Column("step", sa.Integer),
        sa.Column("code", sa.Text),
        sa.Column("magnitude", sa.Integer),
        sa.Column("part", sa.Integer),
        sa.Column("times", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("owner", "day", "step", "code", "magnitude", "part"),
    )
    op.execute(
        f"INSERT INTO step_tally ({_KEY}, part, times)"  # noqa: S608 - our own names
        f" SELECT {_KEY}, 0, times FROM whole_step_tally"
    )
    op.drop_table("whole_step_tally")
