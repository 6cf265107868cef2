# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does an owner see what a device publishes, and does a backend as docs/reading-data.md says?"""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import requests
from noise.connection import NoiseConnection

from muster_server.label import Label, new_label
from tests import secrecy
from tests.host_server.processes import Servers
from tests.wire.syncs import BLANK

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reading-data.md"
PUBLISHED = (
    ("temperature", 21.5),
    ("door", "open"),
    ("note", "=HYPERLINK(1)"),
    ("esc\x1b[31m", {"a": [1, None]}),
)


def configured(url: str, label: Label) -> dict[str, Any]:
    """The configuration that the servers give to a device with this label."""
    noise = NoiseConnection.from_name(b"Noise_NNpsk0_25519_ChaChaPoly_SHA256")
    noise.set_prologue(f"muster/1/{label.device_id}/label")
    noise.set_psks(psks=[label.key("sync-psk")])
    noise.set_as_initiator()
    noise.start_handshake()
    message = bytes(noise.write_message(json.dumps(BLANK).encode()))
    address = f"{url}/v1/devices/{label.device_id}/sync?k=label"
    answer = requests.post(address, data=message, timeout=10)
    directive: dict[str, Any] = json.loads(noise.read_message(answer.content))
    config: dict[str, Any] = directive["config"]
    secrecy.hide(config["platform"]["token"])
    secrecy.hide(config["config_server"]["key"])
    assert len(b64decode(config["config_server"]["key"])) == 32
    return config


class Publisher:
    """A device's end of the platform, as docs/protocol.md section 9 has it."""

    def __init__(self, config: dict[str, Any], device_id: str) -> None:
        self._platform = config["platform"]
        self._place = f"/cse-in/{self.originator}"
        entity = {"rn": self.originator, "api": "Norg.example.press", "rr": False, "srv": ["4"]}
        labels = {"lbl": [f"muster:{device_id}"]}
        self.post("/cse-in", 2, {"m2m:ae": entity | labels})
        self.post(self._place, 3, {"m2m:cnt": {"rn": "data", "mni": 100}})

    @property
    def originator(self) -> str:
        return str(self._platform["originator"])

    def publish(self, name: str, value: Any) -> None:
        content = json.dumps({"name": name, "value": value})
        self.post(f"{self._place}/data", 4, {"m2m:cin": {"con": content}})

    def post(self, path: str, ty: int, document: dict[str, Any]) -> None:
        headers = {
            "X-M2M-Origin": self.originator,
            "X-M2M-RI": "1",
            "X-M2M-RVI": "4",
            "Content-Type": f"application/json;ty={ty}",
            "Authorization": f"Bearer {self._platform['token']}",
        }
        url = self._platform["url"] + path
        answer = requests.post(url, json=document, headers=headers, timeout=10)
        assert answer.headers["X-M2M-RSC"] == "2001", answer.text


@pytest.fixture
def device(muster: Any, profile: str, servers: tuple[Servers, Path]) -> tuple[str, Publisher]:
    """A device that is registered at the platform, and its id."""
    label = new_label()
    secrecy.hide_label(label.qr_text, label.secret)
    code, _, err = muster("device", "add", "-", "--profile", "press", stdin=label.qr_text)
    assert code == 0, err
    return label.device_id, Publisher(
        configured(servers[0].urls["config"], label), label.device_id
    )


def test_readings_come_to_the_terminal(muster: Any, device: tuple[str, Publisher]) -> None:
    device_id, publisher = device
    assert muster("readings", device_id)[1] == "nothing was published yet\n"
    for name, value in PUBLISHED:
        publisher.publish(name, value)
    code, out, err = muster("readings", device_id)
    assert (code, err) == (0, "")
    lines = [line.split(None, 2)[2] for line in out.splitlines()]
    assert lines[0].split() == ["temperature", "21.5"]
    assert lines[1].split() == ["door", "open"]
    assert lines[3].endswith('{"a": [1, null]}')
    assert "\x1b" not in out


def test_readings_come_as_csv_and_as_json(muster: Any, device: tuple[str, Publisher]) -> None:
    device_id, publisher = device
    for name, value in PUBLISHED:
        publisher.publish(name, value)
    rows = list(csv.DictReader(muster("readings", device_id, "--csv")[1].splitlines()))
    assert [row["value"] for row in rows] == ["21.5", "open", "'=HYPERLINK(1)", '{"a": [1, null]}']
    assert {row["device"] for row in rows} == {device_id}
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+\+00:00", rows[0]["time"])
    page = json.loads(muster("readings", device_id, "--json")[1])
    assert [(r["name"], r["value"]) for r in page["readings"]] == list(PUBLISHED)
    assert muster("readings", device_id, "--json", "--csv")[0] == 2


def test_device_that_has_nothing_to_read_yet_is_told_so(muster: Any, device_id: str) -> None:
    code, out, err = muster("readings", device_id)
    assert (code, out) == (1, "")
    assert "was not given a configuration yet" in err
    assert muster("readings", "NOBODY")[0] == 1


def test_application_is_made_at_the_platform(muster: Any) -> None:
    code, out, _ = muster("reader", "add", "robot", "--application")
    assert (code, "commands them" in out) == (0, True)
    assert "application  Capp" in muster("reader", "list")[1]
    assert muster("reader", "remove", "robot")[0] == 0


def test_reader_is_made_listed_and_removed(muster: Any) -> None:
    code, out, err = muster("reader", "add", "shop-floor", "--json")
    assert (code, err) == (0, "")
    made = json.loads(out)
    secrecy.hide(made["token"])
    listed = muster("reader", "list")[1]
    assert "shop-floor" in listed and made["token"] not in listed
    assert muster("reader", "add", "shop-floor")[0] == 1
    assert muster("reader", "remove", "shop-floor")[0] == 0
    assert muster("reader", "remove", "shop-floor")[0] == 1


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", DOCS.read_text(), re.DOTALL | re.MULTILINE)
    assert found, language
    return found


@pytest.fixture
def surroundings(muster: Any, device: tuple[str, Publisher]) -> Any:
    """The environment that docs/reading-data.md tells to set, for a reader of its own."""
    device_id, publisher = device
    publisher.publish("temperature", 21.5)
    made = json.loads(muster("reader", "add", "dashboard", "--json")[1])
    secrecy.hide(made["token"])
    yield {
        "PLATFORM": made["platform"],
        "READER": made["originator"],
        "READER_TOKEN": made["token"],
        "DEVICE": publisher.originator,
        "DEVICE_ID": device_id,
    }
    assert muster("reader", "remove", "dashboard")[0] == 0


def test_backend_in_python_reads_as_the_page_says(surroundings: dict[str, str]) -> None:
    for program in blocks("python"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=30,
            env=surroundings,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "temperature 21.5" in done.stdout


def test_curl_reads_as_the_page_says(surroundings: dict[str, str]) -> None:
    """Run what the curl command means, where there is no curl."""
    for text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            if not line.startswith("curl "):
                continue
            answer = curl(line, surroundings)
            assert surroundings["DEVICE"] in answer or "temperature" in answer, line


def curl(line: str, surroundings: dict[str, str]) -> str:
    if shutil.which("curl"):
        done = subprocess.run(
            ["sh", "-c", line],
            capture_output=True,
            text=True,
            timeout=30,
            env=surroundings | {"PATH": "/usr/local/bin:/usr/bin:/bin"},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
    for name, value in sorted(surroundings.items(), reverse=True):
        line = line.replace(f"${name}", value)
    words = shlex.split(line)
    headers = dict(words[n + 1].split(": ", 1) for n, w in enumerate(words) if w == "-H")
    (url,) = (word for word in words if word.startswith("http"))
    return requests.get(url, headers=headers, timeout=10).text
