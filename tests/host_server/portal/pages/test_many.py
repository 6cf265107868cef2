# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are many devices added by a table, and changed together, without script?"""

import re
import time
from typing import Any

import requests

from muster_server.label import Label, new_label
from muster_server.portal.pages.many import FILE_BYTES
from tests import secrecy
from tests.host_server.config_server.field import Field
from tests.host_server.portal.api import call
from tests.host_server.portal.pages.site import ADMIN_TOKEN, Person, Site

FORMULA = '=HYPERLINK("http://evil.example")'
QUOTED = FORMULA.replace('"', '""')  # as CSV has it
_PATIENCE_S = 60


def labels(number: int) -> list[Label]:
    made = [new_label() for _ in range(number)]
    for label in made:
        secrecy.hide_label(label.qr_text, label.secret)
    return made


def send(person: Person, table: bytes | None, profile: str = "press") -> requests.Response:
    """Send the page's form with a file, as a browser does."""
    files = None if table is None else {"csv": ("labels.csv", table, "text/csv")}
    return person.session.post(
        person.url + "/many",
        data={"form_token": person.form_token(), "profile": profile},
        files=files or {"csv": ("", b"", "application/octet-stream")},
        headers={"Origin": person.url},
        timeout=_PATIENCE_S,
        allow_redirects=False,
    )


def ended(person: Person, where: str) -> str:
    """The task's page as soon as nothing moves on it any more."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        page = person.get(where).text
        if "data-running" not in page:
            return page
        time.sleep(0.3)
    raise AssertionError("the task has not ended")


def test_table_is_looked_at_then_added_and_its_verdicts_are_taken_away(
    site: Site, ada: Person
) -> None:
    good, other = labels(2)
    rows = ["name,label", f'"{QUOTED}",{good.qr_text}', f"bad,{good.qr_text[:-2]}"]
    rows += [f"<script>x</script>,{other.qr_text}", f"again,{other.qr_text}"]
    answer = send(ada, "\n".join(rows).encode())
    assert answer.is_redirect, answer.text
    where = answer.headers["Location"]
    page = ended(ada, where)
    assert "Nothing is kept yet" in page and "2 can be added" in page
    assert "<td>added" not in page  # nothing is, yet
    assert "<script>x" not in page and good.qr_text[-36:] not in page
    assert good.device_id not in ada.get("/devices").text
    assert ada.post(where + "/start").is_redirect
    page = ended(ada, where)
    assert "2 added" in page and "1 refused" in page and "1 known already" in page
    assert good.device_id in ada.get("/devices").text
    assert "the same label as in row 4" in ada.get(where + "?verdict=known").text
    table = ada.get(where + "/verdicts.csv")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert f'"\'{QUOTED}"' in table.text
    assert good.qr_text[-36:] not in table.text
    assert (
        "try table" in ada.get("/audit").text
        and where.rpartition("/")[2] in ada.get("/audit").text
    )
    assert ada.post(where + "/end").is_redirect
    assert ada.get(where).status_code == 404
    assert good.device_id in ada.get("/devices").text


def test_what_is_no_table_is_refused_and_said_at_its_field(site: Site, ada: Person) -> None:
    for table, said in (
        (None, "choose a file with labels"),
        (b"label\n", "there is no label in this table"),
        ("é".encode("latin-1"), "this is no text in UTF-8"),
    ):
        answer = send(ada, table)
        assert answer.status_code == 422
        assert said in answer.text and 'id="csv-error"' in answer.text


def test_upload_that_is_too_large_is_refused_and_of_strangers_none_is_read(
    site: Site, ada: Person
) -> None:
    assert send(ada, b"x" * (FILE_BYTES + 200_000)).status_code == 413
    stranger = Person(site.url)
    answer = send(stranger, b"x" * 1_000_000)
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")
    headers = {"Origin": site.url, "Content-Type": "multipart/form-data; boundary=x"}
    odd = b"--x\r\nContent-Disposition: form-data; name=" + b"a" * 9000 + b"\r\n\r\n"
    for body in (b"", b"--x", b"--x\r\n\r\n", odd, b"--x--\r\n" * 500):
        answer = ada.session.post(
            site.url + "/many", data=body, headers=headers, timeout=5, allow_redirects=False
        )
        assert answer.status_code in (400, 403), body[:20]
    # A page that takes no file reads no multipart form.
    answer = ada.session.post(
        site.url + "/sign-out",
        files={"csv": ("x", b"y")},
        headers={"Origin": site.url},
        timeout=5,
    )
    assert answer.status_code == 400


def test_table_without_the_sessions_token_does_nothing(site: Site, ada: Person) -> None:
    answer = ada.session.post(
        site.url + "/many",
        data={"form_token": "x", "profile": "press"},
        files={"csv": ("labels.csv", b"x")},
        headers={"Origin": site.url},
        timeout=5,
    )
    assert answer.status_code == 403


def test_task_of_another_owner_is_not_there_by_any_page(
    site: Site, ada: Person, grace: Person
) -> None:
    where = send(ada, labels(1)[0].qr_text.encode()).headers["Location"]
    ended(ada, where)
    for path in (where, where + "/verdicts.csv"):
        assert grace.get(path).status_code == 404
    for deed in ("/start", "/end"):
        assert grace.post(where + deed).status_code == 404
    assert where not in grace.get("/many").text
    assert send(grace, labels(1)[0].qr_text.encode(), "press").status_code == 404
    assert "every row was looked at" in ada.get(where).text


def test_several_are_changed_by_their_ticks_or_all_of_a_list(site: Site, ada: Person) -> None:
    some = labels(3)
    for label in some:
        body = {"label": label.qr_text, "profile": "press"}
        assert call("POST", site.url + "/v1/devices", body, ADMIN_TOKEN).status_code == 201
    ids = [label.device_id for label in some]
    page = ada.get("/several").text
    assert all(f'value="{one}"' in page for one in ids)
    chosen = several(ada, group="hall 3", added_tags="spare, old", device=ids[:2])
    assert "2 changed" in ended(ada, chosen)
    assert ids[2] not in ada.get("/devices?group=hall+3").text
    everything = several(ada, removed_tags="old", no_group="yes", all="yes", **{"list.tag": "old"})
    assert "2 changed" in ended(ada, everything)
    counts = call("GET", site.url + "/v1/device-counts", None, ADMIN_TOKEN).json()
    assert (counts["groups"], counts["tags"]) == ({}, {"spare": 2})


def several(person: Person, **fields: Any) -> str:
    answer = person.post("/several", **fields)
    assert answer.is_redirect, answer.text
    return str(answer.headers["Location"])


def test_change_without_devices_or_without_a_change_is_refused(site: Site, ada: Person) -> None:
    assert "no device is chosen" in ada.post("/several", group="hall 3").text
    assert "what shall change?" in ada.post("/several", device="PRESS-4").text
    wrong = ada.post("/several", device="PRESS-4", group="g" * 65)
    assert wrong.status_code == 422 and 'id="group-error"' in wrong.text


def test_task_of_the_api_begins_by_a_table_and_is_started(site: Site, ada: Person) -> None:
    def ask(method: str, path: str, body: object = None) -> Any:
        return call(method, site.url + "/v1" + path, body, ADMIN_TOKEN)

    text = "\n".join(label.qr_text for label in labels(3))
    task = ask("POST", "/bulk/claims", {"profile": "press", "csv": text})
    assert task.status_code == 201
    where = "/tasks/" + task.json()["id"]
    for state in ("looked", "done"):
        until = time.monotonic() + _PATIENCE_S
        while ask("GET", where).json()["state"] != state:
            assert time.monotonic() < until
            time.sleep(0.1)
        if state == "looked":
            assert ask("POST", where + "/start").status_code == 200
    rows = ask("GET", where + "/rows?limit=2").json()
    assert [row["verdict"] for row in rows["rows"]] == ["added"] * 2 and rows["next"] == 2
    ids = [row["device_id"] for row in rows["rows"]]
    change = ask("POST", "/bulk/changes", {"devices": ids, "group": "hall 3"})
    assert change.status_code == 201
    assert [one["kind"] for one in ask("GET", "/tasks").json()["tasks"]] == ["change", "claim"]
    assert ask("DELETE", where).status_code == 204
    assert ask("GET", where).status_code == 404
    assert ask("GET", "/tasks/..%2fdevices").status_code == 404


def bad_rows(place: Field, good: list[Label]) -> list[str]:
    """Ten kinds of wrong rows."""
    taken, vendors = labels(2)
    place.devices.register(taken.qr_text, "press", "", "o-0000000001")
    other = Label(vendors.device_id, bytes(20))
    place.devices.register_for_vendor([other.qr_text])
    text = good[0].qr_text
    return [
        f"x,{text[:-1]}{'A' if text[-1] != 'A' else 'B'}",  # the check characters
        f"x,{text[:-6]}",  # too short
        f"x,{text.replace('MUSTER:1', 'MUSTER:2')}",  # another version
        f"x,{text[:12]}0{text[13:]}1",  # look-alikes
        "x,",  # no label
        "x,https://evil.example/add",  # something else
        f"{'n' * 65},{labels(1)[0].qr_text}",  # a name that is too long
        f"x,MUSTER:1:-BAD-:{text[-36:]}",  # no id
        f"x,{taken.qr_text}",  # somebody else's
        f"x,{vendors.qr_text}",  # not the vendor's secret
    ]


def test_10_000_rows_with_100_bad_ones_get_their_verdicts_within_a_minute(
    site: Site, ada: Person
) -> None:
    good = [new_label() for _ in range(9_900)]
    bad = [row for _ in range(10) for row in bad_rows(site.field, good)]
    rows = [f"press,{label.qr_text}" for label in good]
    for n in range(100):
        rows.insert(n * 97, bad[n])
    began = time.monotonic()
    where = send(ada, ("name,label\n" + "\n".join(rows)).encode()).headers["Location"]
    page = ended(ada, where)
    assert "9900 can be added" in page and "100 refused" in page
    ada.post(where + "/start")
    page = ended(ada, where)
    took_s = time.monotonic() - began
    assert "9900 added" in page and "100 refused" in page
    refused = ada.get(where + "/verdicts.csv").text.count(",refused,")
    assert refused == 100
    counted = call("GET", site.url + "/v1/device-counts", None, ADMIN_TOKEN).json()["devices"]
    assert counted == 9_900
    assert not re.search(r"[A-Z2-7]{36}", ada.get(where + "/verdicts.csv").text)
    print(f"10,000 rows, tried and done: {took_s:.1f} s")
    assert took_s < 60
