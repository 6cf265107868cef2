# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The audit log, which takes new lines and gives none back."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("deed", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
    for verb in ("UPDATE", "DELETE"):
        op.execute(_trigger(verb, op.get_bind().dialect.name))


def _trigger(verb: str, dialect: str) -> str:
    begin = f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
    if dialect == "postgresql":
        return begin + "EXECUTE FUNCTION audit_is_append_only()"
    return begin + "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
