# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""SQLAlchemy's dialect of PostgreSQL with the types that SQLite has.

The same statements and migrations run on both: numbers have 64 bits, a claim is 0 or 1, JSON is
text, and text has any length and compares by its bytes.
"""

from typing import Any

from sqlalchemy.dialects.postgresql.base import PGDDLCompiler, PGTypeCompiler
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

_TEXT = "TEXT"


class _Types(PGTypeCompiler):
    def visit_INTEGER(self, type_: Any, **kw: Any) -> str:
        return "BIGINT"

    def visit_BOOLEAN(self, type_: Any, **kw: Any) -> str:
        return "BIGINT"

    def visit_FLOAT(self, type_: Any, **kw: Any) -> str:
        return "DOUBLE PRECISION"

    def visit_VARCHAR(self, type_: Any, **kw: Any) -> str:
        return _TEXT

    def visit_JSON(self, type_: Any, **kw: Any) -> str:
        return _TEXT


class _Columns(PGDDLCompiler):
    def get_column_specification(self, column: Any, **kw: Any) -> str:
        name, kind, *rest = str(super().get_column_specification(column, **kw)).split(" ")  # type: ignore[no-untyped-call]
        if kind == "SERIAL":
            kind = "BIGSERIAL"
        elif kind == _TEXT:
            kind = f'{_TEXT} COLLATE "C"'
        return " ".join((name, kind, *rest))


class Dialect(PGDialect_psycopg):
    """PostgreSQL by psycopg, with SQLite's types."""

    supports_statement_cache = True
    type_compiler_cls = _Types
    ddl_compiler = _Columns
