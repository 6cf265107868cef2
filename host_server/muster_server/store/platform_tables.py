# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The tables of the resource tree, for questions whose parts are not known beforehand."""

import sqlalchemy as sa

metadata = sa.MetaData()
resources = sa.Table(
    "resources",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),  # the order of creation
    sa.Column("ri", sa.String(64)),
    sa.Column("ty", sa.Integer),
    sa.Column("rn", sa.String(64)),
    sa.Column("pi", sa.String(64)),
    sa.Column("path", sa.String(512)),
    sa.Column("owner", sa.String(64)),
    sa.Column("ct", sa.String(22)),
    sa.Column("lt", sa.String(22)),
    sa.Column("et", sa.String(22)),
    sa.Column("attributes", sa.Text),
    sa.Column("creator", sa.String(64)),
    sa.Column("governed_by", sa.String(64)),
)
marks = sa.Table(
    "marks",
    metadata,
    sa.Column("ri", sa.String(64)),
    sa.Column("kind", sa.String(8)),
    sa.Column("value", sa.String(256)),
)
