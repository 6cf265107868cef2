# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the adapter for the product's own platform promise? Asked of that platform itself."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from muster_server.config_server.platform_adapter import (
    AllowListPlatform,
    MusterPlatform,
    PlatformChoice,
    new_originator,
)
from muster_server.errors import ServiceUnreachable
from muster_server.platform_server.app import create_app
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore
from muster_server.tokens import new_token, token_hash
from tests.host_server.serving import served

TOKEN = new_token()
FACTS = {"model": "press", "board": "EMULATED", "firmware": "0.1.0", "micropython": "1.29.0"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    engine = open_engine(database_url(Path(tmp_path_factory.mktemp("data")), "platform"))
    migrate(engine, "muster_server.platform_server", HEAD)
    hashes = frozenset({token_hash(TOKEN)})
    with served(create_app(PlatformStore(engine), lambda: hashes)) as url:
        yield url
    engine.dispose()


@pytest.fixture
def platform(url: str) -> MusterPlatform:
    return MusterPlatform(url, TOKEN)


def new_token_id() -> str:
    return secrets.token_hex(8)


def asked(url: str, path: str, origin: str, token: str, body: object = None, ty: int = 0) -> int:
    headers = {
        "X-M2M-Origin": origin,
        "X-M2M-RI": "1",
        "X-M2M-RVI": "4",
        "Authorization": f"Bearer {token}",
        "Content-Type": f"application/json;ty={ty}" if ty else "application/json",
    }
    method = "POST" if ty else "GET"
    answer = requests.request(method, url + path, json=body, headers=headers, timeout=5)
    return int(answer.headers.get("X-M2M-RSC", "0"))


def registered(url: str, origin: str, token: str) -> int:
    ae = {"m2m:ae": {"api": "Nx", "rr": False, "srv": ["4"]}}
    return asked(url, "/cse-in", origin, token, ae, 2)


def test_token_lets_its_originator_register_and_nobody_else(
    url: str, platform: MusterPlatform
) -> None:
    mine, other = new_originator(), new_originator()
    token = platform.make_token(mine, new_token_id())
    assert token is not None
    assert registered(url, mine, token.secret) == 2001
    assert registered(url, other, token.secret) != 2001


def test_earlier_token_is_good_until_it_is_revoked(url: str, platform: MusterPlatform) -> None:
    origin = new_originator()
    first, second = (
        platform.make_token(origin, new_token_id()),
        platform.make_token(origin, new_token_id()),
    )
    assert first is not None
    assert second is not None
    assert registered(url, origin, first.secret) == 2001
    platform.revoke_token(origin, first.id)
    platform.revoke_token(origin, first.id)  # once more does no harm
    assert asked(url, f"/{origin}", origin, first.secret) == 4107
    assert asked(url, f"/{origin}", origin, second.secret) == 2000


def test_token_that_is_asked_for_again_replaces_the_one_of_the_lost_answer(
    url: str, platform: MusterPlatform
) -> None:
    origin, token_id = new_originator(), new_token_id()
    made = [platform.make_token(origin, token_id) for _ in range(20)]
    last, before = made[-1], made[-2]
    assert last is not None
    assert before is not None
    assert last.id == token_id
    assert registered(url, origin, last.secret) == 2001
    assert asked(url, f"/{origin}", origin, before.secret) == 4107


def test_closed_account_is_good_for_nothing(url: str, platform: MusterPlatform) -> None:
    origin = new_originator()
    token = platform.make_token(origin, new_token_id())
    assert token is not None
    platform.close_account(origin)
    platform.close_account(origin)
    assert registered(url, origin, token.secret) == 4107


def test_device_is_described_and_linked_however_often(url: str, platform: MusterPlatform) -> None:
    origin = new_originator()
    platform.describe(origin, "PRESS-4", FACTS)
    platform.describe(origin, "PRESS-4", FACTS | {"firmware": "0.2.0"})
    headers = {
        "X-M2M-Origin": "CAdmin",
        "X-M2M-RI": "1",
        "X-M2M-RVI": "4",
        "Authorization": f"Bearer {TOKEN}",
    }
    node = requests.get(url + "/cse-in/nod-PRESS-4", headers=headers, timeout=5).json()["m2m:nod"]
    info = requests.get(url + "/cse-in/nod-PRESS-4/dvi", headers=headers, timeout=5)
    assert node["hael"] == [origin]
    assert (info.json()["m2m:dvi"]["swv"], info.json()["m2m:dvi"]["hwv"]) == ("0.2.0", "EMULATED")


def test_originators_fit_one_pattern_and_cannot_be_guessed() -> None:
    originators = {new_originator() for _ in range(100)}
    assert len(originators) == 100
    # 27 characters: Mobius4 takes 30
    assert all(re.fullmatch(r"Cmuster[a-z2-7]{20}", each) for each in originators)


def test_account_of_a_former_release_is_kept_with_its_longer_originator(
    url: str, platform: MusterPlatform
) -> None:
    former = "Cmuster" + secrets.token_hex(12)
    token = platform.make_token(former, new_token_id())
    assert token is not None
    assert registered(url, former, token.secret) == 2001
    assert platform.seen(former).first_at_home is not None


def test_platform_with_an_allow_list_is_asked_nothing() -> None:
    elsewhere = AllowListPlatform()
    assert elsewhere.make_token("Cmuster0", new_token_id()) is None
    elsewhere.revoke_token("Cmuster0", "1")
    elsewhere.close_account("Cmuster0")
    elsewhere.describe("Cmuster0", "PRESS-4", FACTS)


def test_platform_that_does_not_answer_is_unreachable() -> None:
    with pytest.raises(ServiceUnreachable, match="check that the server runs") as caught:
        MusterPlatform("http://127.0.0.1:9", TOKEN).make_token("Cx", new_token_id())
    assert TOKEN not in str(caught.value)


def test_platform_that_refuses_our_token_is_unreachable(url: str) -> None:
    with pytest.raises(ServiceUnreachable, match="HTTP 401"):
        MusterPlatform(url, new_token()).make_token("Cx", new_token_id())


@pytest.mark.parametrize(
    ("url", "has_accounts"),
    [
        ("http://platform.example:8422", True),
        ("HTTP://Platform.example:8422/", True),
        ("http://platform.example", False),
        ("https://platform.example:8422", False),
        ("http://acme.example:8422", False),
        ("http://platform.example:99999", False),
    ],
)
def test_accounts_are_kept_at_our_own_platform_only(url: str, has_accounts: bool) -> None:
    choice = PlatformChoice("http://platform.example:8422", "http://127.0.0.1:8422", TOKEN)
    assert choice.has_accounts(url) is has_accounts
    assert isinstance(
        choice.adapter_for(url), MusterPlatform if has_accounts else AllowListPlatform
    )
