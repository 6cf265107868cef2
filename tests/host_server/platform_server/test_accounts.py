# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform promise about accounts and their tokens?"""

import logging
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.host_server.platform_server.behaviour import Answer
from tests.host_server.platform_server.client import ADMIN_TOKEN, Client
from tests.host_server.platform_server.town import Town

PEN = "Cpen0123456789"
CUP = "Ccup0123456789"


def test_token_works_for_its_originator(platform: Client) -> None:
    assert platform.register(PEN).headers["X-M2M-RSC"] == "2001"


@pytest.mark.parametrize("token", [None, "", "mst_" + "x" * 43])
def test_without_a_known_token_the_answer_is_401_in_onem2m_s_form(
    platform: Client, token: str | None
) -> None:
    answer = platform.ask("GET", "/cse-in", token=token)
    assert answer.status == 401
    assert "token" in answer.body["m2m:dbg"]
    assert answer.headers["WWW-AUTHENTICATE"] == 'Bearer cse="cse-in"'
    assert answer.headers["X-M2M-RSC"] == "4107"


def test_token_of_another_originator_is_refused_with_4107(platform: Client) -> None:
    platform.register(PEN)
    stolen = platform.account(CUP)
    for method, to in (("GET", f"/{PEN}"), ("DELETE", f"/{PEN}"), ("GET", "/nothing")):
        answer = platform.ask(method, to, PEN, token=stolen)
        assert (answer.status, answer.headers["X-M2M-RSC"]) == (403, "4107")


def test_device_token_gives_no_access_as_administrator(platform: Client) -> None:
    answer = platform.ask("GET", "/cse-in", "CAdmin", token=platform.account(PEN))
    assert answer.headers["X-M2M-RSC"] == "4107"


def test_administrators_token_works_for_cadmin_only(platform: Client) -> None:
    platform.register(PEN)
    assert platform.ask("GET", f"/{PEN}", PEN, token=ADMIN_TOKEN).headers["X-M2M-RSC"] == "4107"
    assert platform.ask("GET", f"/{PEN}").status == 200


def test_accounts_need_the_administrators_token(platform: Client) -> None:
    token = platform.account(PEN)
    for method, to in (
        ("GET", "/accounts"),
        ("PUT", f"/accounts/{CUP}"),
        ("DELETE", f"/accounts/{PEN}/tokens/1"),
        ("DELETE", f"/accounts/{PEN}"),
    ):
        assert platform.http(method, to, token=token).status == 401
        assert platform.http(method, to).status == 401


def test_putting_an_account_again_issues_a_further_token(platform: Client) -> None:
    former, new = platform.account(PEN), platform.account(PEN)
    assert former != new
    assert platform.ask("GET", "/nothing", PEN, token=former).status == 404


def named(platform: Client, token_id: str, originator: str = PEN) -> Answer:
    return platform.http("PUT", f"/accounts/{originator}?token_id={token_id}", token=ADMIN_TOKEN)


def listed(platform: Client) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = platform.http("GET", "/accounts", token=ADMIN_TOKEN).body[
        "accounts"
    ]
    return entries


def test_token_of_the_same_id_takes_the_former_ones_place(platform: Client) -> None:
    other = platform.account(PEN)
    issued = [named(platform, "mine").body for _ in range(20)]  # more than an account may have
    assert {each["token_id"] for each in issued} == {"mine"}
    status = [
        platform.ask("GET", "/nothing", PEN, token=token).status
        for token in (other, issued[-2]["token"], issued[-1]["token"])
    ]
    assert status == [404, 401, 404]


def test_token_id_of_another_account_is_refused(platform: Client) -> None:
    token = named(platform, "mine").body["token"]
    assert named(platform, "mine", CUP).status == 409
    # Nothing of the other account is left; nor does one that is there get the token.
    assert [entry["originator"] for entry in listed(platform)] == [PEN]
    platform.account(CUP)
    assert named(platform, "mine", CUP).status == 409
    assert [len(entry["tokens"]) for entry in listed(platform)] == [1, 1]
    assert platform.ask("GET", "/nothing", PEN, token=token).status == 404


@pytest.mark.parametrize("token_id", ["", "a%20b", "x" * 33, "%C3%A9", "a%0A"])
def test_token_id_must_fit_an_address(platform: Client, token_id: str) -> None:
    assert named(platform, token_id).status == 422


def test_one_token_can_be_revoked(platform: Client) -> None:
    issued = platform.http("PUT", f"/accounts/{PEN}", token=ADMIN_TOKEN).body
    gone = f"/accounts/{PEN}/tokens/{issued['token_id']}"
    assert platform.http("DELETE", gone, token=ADMIN_TOKEN).status == 204
    assert platform.ask("GET", "/nothing", PEN, token=issued["token"]).status == 401
    assert platform.http("DELETE", gone, token=ADMIN_TOKEN).status == 404


def test_closed_account_is_refused_at_once_and_its_data_stays(platform: Client) -> None:
    platform.register(PEN)
    assert platform.http("DELETE", f"/accounts/{PEN}", token=ADMIN_TOKEN).status == 204
    assert platform.ask("GET", f"/{PEN}", PEN).status == 401
    assert platform.ask("GET", f"/{PEN}").status == 200


def test_closing_an_account_removes_the_ae_if_asked_to(platform: Client) -> None:
    platform.register(PEN)
    platform.http("DELETE", f"/accounts/{PEN}?remove_ae=true", token=ADMIN_TOKEN)
    assert platform.ask("GET", f"/{PEN}").status == 404
    assert platform.register(CUP, rn=PEN).status == 201


def test_accounts_are_listed_without_secrets(platform: Client) -> None:
    tokens = [platform.account(CUP), platform.account(PEN)]
    answer = platform.http("GET", "/accounts", token=ADMIN_TOKEN)
    assert [account["originator"] for account in answer.body["accounts"]] == [CUP, PEN]
    assert answer.body["next"] is None
    assert all(token not in str(answer.body) for token in tokens)


def test_accounts_are_listed_in_pages(platform: Client) -> None:
    for originator in (PEN, CUP):
        platform.account(originator)
    first = platform.http("GET", "/accounts?limit=1", token=ADMIN_TOKEN).body
    rest = platform.http("GET", f"/accounts?after={first['next']}", token=ADMIN_TOKEN).body
    assert [account["originator"] for account in rest["accounts"]] == [PEN]


@pytest.mark.parametrize("originator", ["pen", "C", "C%2F..", "Cpen pen", "C" + "x" * 64])
def test_originator_must_fit_an_address(platform: Client, originator: str) -> None:
    answer = platform.http("PUT", f"/accounts/{originator}", token=ADMIN_TOKEN)
    assert answer.status in (404, 422)


def test_administrator_has_no_account(platform: Client) -> None:
    assert platform.http("PUT", "/accounts/CAdmin", token=ADMIN_TOKEN).status == 409


def test_tokens_of_an_account_are_bounded(platform: Client) -> None:
    answers = [platform.http("PUT", f"/accounts/{PEN}", token=ADMIN_TOKEN) for _ in range(17)]
    assert [answer.status for answer in answers] == [201] * 16 + [409]


def test_no_token_reaches_the_log(platform: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = platform.account(PEN)
    platform.ask("GET", "/cse-in", CUP, token=token)
    assert token not in caplog.text and ADMIN_TOKEN not in caplog.text


def test_openapi_describes_the_accounts(platform: Client) -> None:
    paths = platform.http("GET", "/openapi.json").body["paths"]
    assert "/accounts/{originator}/tokens/{token_id}" in paths


@pytest.mark.parametrize("path", ["/policies/owner:a/members", "/children/cse-in", "/nodes"])
@pytest.mark.parametrize("twice", [b"", b"Accept: */*\r\n" * 2], ids=["direct", "framework"])
def test_who_asks_is_known_before_a_body_is_read(town: Town, path: str, twice: bytes) -> None:
    at = urlsplit(town.url)
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" % path.encode()
    with socket.create_connection((str(at.hostname), at.port), timeout=5) as connection:
        connection.sendall(head + twice + b"Content-Length: 100000000\r\n\r\n{")  # and no more
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("twice", [{}, {"Accept": "*/*", "accept": "*/*"}])
def test_members_that_are_none_are_refused_alike_on_both_ways(
    platform: Client, twice: dict[str, str]
) -> None:
    def put(body: bytes) -> tuple[int, str | None, str | None]:
        path = "/policies/owner:a/members"
        answer = platform.http("POST", path, twice, body, ADMIN_TOKEN)
        return answer.status, answer.body.get("code"), answer.body.get("path")

    assert put(b"{") == (422, "invalid", "")
    assert put(b'{"originators":[7]}') == (422, "invalid", "originators[0]")
    assert put(b'{"originators":["%s"]}' % (b"C" * 65)) == (422, "invalid", "originators[0]")
    assert put(b" " * 300_000) == (413, "too_large", None)
