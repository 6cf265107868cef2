# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the operator's file on platforms say, and what is refused in it?"""

from pathlib import Path

import pytest

from muster_server.config_server.other_platforms import read_platforms
from muster_server.errors import SettingsError

GOOD = """
[[platform]]
url = "https://m2m.example:8422/"
originator = "Cadmin-secret"
token = "token-of-ours"
callback = "https://muster.example:8421"

[editors]
admin = ["Cappx", "Ctool*"]
"""


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "platforms.toml"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_file_names_platforms_and_editors(tmp_path: Path) -> None:
    found = read_platforms(written(tmp_path, GOOD))
    platform = found.at("https://m2m.example:8422")
    assert platform is not None
    assert (platform.originator, platform.cse) == ("Cadmin-secret", "cse-in")
    assert found.at("https://elsewhere.example") is None
    assert found.editors == {"admin": ("Cappx", "Ctool*")}
    assert "secret" not in repr(found) and "token-of-ours" not in repr(found)


def test_no_file_is_nobody() -> None:
    assert read_platforms(None).platforms == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("platform = 5", r"platform: wanted \[\[platform\]\]"),
        ("[[platform]]\nurl = 'http://x'", "originator: missing"),
        ("[[platform]]\nurl = 'ftp://x'\noriginator = 'Cx'", "url: wanted a URL"),
        ("[[platform]]\nurl = 'http://x'\noriginator = 'C-hidden-9'\ntoken = 't'", "over http"),
        ("[[platform]]\nurl = 'http://x'\noriginator = 7", "originator: wanted a text"),
        ("[[platform]]\nurl = 'http://x'\noriginator = 'C-hidden-9'\nx = '1'", "x: not known"),
        ("[editors]\nadmin = 'C-hidden-9'", "editors.admin: wanted a list"),
        ("[rest]", "rest: not known"),
        ("C-hidden-9", "not TOML"),
    ],
)
def test_mistake_is_named_and_no_secret(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        read_platforms(written(tmp_path, text))
    assert "C-hidden-9" not in str(caught.value)


def test_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="chmod 600"):
        read_platforms(written(tmp_path, GOOD, 0o644))
    with pytest.raises(SettingsError, match="No such file"):
        read_platforms(tmp_path / "missing")
