# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The script of the air that harness/README.md shows is one that runs."""

import re
from pathlib import Path

from muster_harness import Air, Record

README = Path(__file__).resolve().parents[3] / "harness" / "README.md"


def test_the_script_of_what_is_wrong_in_the_field_runs(air: Air) -> None:
    part = README.read_text().partition("**What is wrong in the field.**")[2]
    script = re.search(r"```python\n(.*?)```", part, re.DOTALL)
    assert script is not None
    here = {"air": air, "Record": Record}
    exec(script[1], here)  # noqa: S102 (a part of this project)
    assert len(air.heard_by("anybody")) == 4
