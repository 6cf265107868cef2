# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The process in which a JSON Schema is applied, and ended if that takes too long.

Reads {"schema", "instance"} and writes what `found` returns. A pattern can keep Python's `re` busy
for years, and references can double the work at each of sixty levels: whoever wrote the schema
chose how much there is to do, so the system counts, and not this program.
"""

import contextlib
import json
import re
import sys
from typing import Any

CPU_S = 2
_MEMORY_BYTES = 512 * 1024 * 1024

# What may be wrong, and of which document.
SCHEMA, INSTANCE = "schema", "instance"


def main() -> None:
    """Judge what comes on standard input, within bounds of time and memory."""
    import resource  # late: the server, which imports this module too, needs none of it

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    with contextlib.suppress(ValueError, OSError):  # of systems that do not count it
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    given = json.load(sys.stdin)
    json.dump(found(given["schema"], given["instance"]), sys.stdout)


def found(schema: dict[str, Any], instance: Any) -> dict[str, Any] | None:
    """Return what is wrong and where, e.g. {"of": "instance", "path": ["hz"], "detail": "…"}.

    Not the words of the library: they repeat the value, and these go to logs and timelines.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError, best_match
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    try:
        Draft202012Validator.check_schema(schema)
        # With a registry of its own the validator fetches nothing from the network.
        validator: Any = Draft202012Validator(schema, registry=Registry())
        error = best_match(validator.iter_errors(instance))
    except SchemaError as error:
        return _wrong(SCHEMA, error.path, "not a JSON Schema (2020-12)")
    except Unresolvable:
        return _wrong(SCHEMA, (), "has a $ref that leads nowhere inside it")
    except RecursionError:
        return _wrong(SCHEMA, (), "refers to itself without end")
    except (re.error, OverflowError):
        return _wrong(SCHEMA, (), "has a pattern that is no regular expression")
    if error is None:
        return None
    return _wrong(INSTANCE, error.absolute_path, f"breaks the schema's {error.validator!r}")


def _wrong(of: str, path: Any, detail: str) -> dict[str, Any]:
    return {"of": of, "path": list(path), "detail": detail}


if __name__ == "__main__":
    main()
