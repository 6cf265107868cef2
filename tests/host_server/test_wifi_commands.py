# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does `muster wifi` change a password step by step, and lose nobody by itself?"""

import json
from typing import Any

from tests import secrecy

NEW = "the new password of the hall"


def test_password_changes_in_steps_and_is_retired_only_when_nobody_is_lost(
    muster: Any, profile: str, device_id: str
) -> None:
    secrecy.hide(NEW)
    assert muster("wifi", "show", "press")[1] == "no password is changing\n"
    assert muster("wifi", "change", "press", "factory")[0] == 2  # nobody typed it
    code, out, err = muster("wifi", "change", "press", "factory", stdin=NEW + "\n")
    assert code == 0, err
    assert "both passwords" in out and "muster wifi show press" in out
    shown = muster("wifi", "show", "press")[1]
    assert "changing: factory" in shown and "--behind" in shown
    code, _, err = muster("wifi", "retire", "press", "factory")
    assert code == 1 and "have not got the new password" in err
    assert "new password alone" in muster("wifi", "retire", "press", "factory", "--though-lost")[1]
    number = json.loads(
        muster("wifi", "change", "press", "factory", "--draft", "--json", stdin=NEW[::-1])[1]
    )["number"]
    assert muster("wifi", "show", "press")[1] == "no password is changing\n"
    assert muster("profile", "use", "press", str(number))[0] == 0
    assert "old password alone" in muster("wifi", "take-back", "press", "factory")[1]
    kept = muster("profile", "show", "press")[1]
    assert NEW not in kept and json.loads(kept)["networks"][0]["psk_set"] is True
