# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a link bring each answer, whatever ends it, and keep a connection only while it may?"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path

import pytest

from muster_harness.errors import HarnessError
from muster_harness.fleet import line
from muster_harness.fleet.answer import Answer
from muster_harness.fleet.link import Link, Links, loopback_address
from tests.certificates import Authority

_WITH_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
_IN_CHUNKS = b"HTTP/1.1 201 x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
_UNTIL_THE_END = b"HTTP/1.0 200 OK\r\n\r\n{}"
_AFTER_A_WORD = b"HTTP/1.1 100 Continue\r\n\r\n" + _WITH_LENGTH
_REFUSAL = b"HTTP/1.1 503 x\r\nRetry-After: 7\r\nX-M2M-RSC: 5000\r\nContent-Length: 0\r\n\r\n"


class Peer:
    """A server that gives one answer after another, and notes what it was asked, and by whom."""

    def __init__(self, *answers: bytes, stays: bool = True) -> None:
        self.answers, self.stays = list(answers), stays
        self.heads: list[bytes] = []
        self.connections: list[str] = []
        self.url = ""
        self.tasks: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.current_task())
        self.connections.append(writer.get_extra_info("peername")[0])
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                for byte in self.answers.pop(0):  # one by one: however it comes, it is whole
                    writer.write(bytes([byte]))
                    await writer.drain()
                if not self.stays:
                    break
            else:
                await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def listening(peer: Peer, context: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=context)
    scheme = "http" if context is None else "https"
    peer.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/base/"
    async with server:
        yield peer
        await asyncio.wait_for(asyncio.gather(*filter(None, peer.tasks)), 10)


def asked(
    peer: Peer, do: Callable[[Link], Awaitable[Answer]], source: str | None = None
) -> Answer:
    async def ask() -> Answer:
        async with listening(peer):
            link = Link(peer.url, source=source)
            try:
                return await asyncio.wait_for(do(link), 10)
            finally:
                link.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("sent", [_WITH_LENGTH, _IN_CHUNKS, _UNTIL_THE_END, _AFTER_A_WORD])
def test_answer_is_whole_however_it_ends(sent: bytes) -> None:
    is_last = sent == _UNTIL_THE_END
    found = asked(Peer(sent, stays=not is_last), lambda link: link.request("GET", "/x"))
    assert found.status in (200, 201) and found.body == b"{}" and found.took_s > 0


def test_refusal_brings_what_was_said() -> None:
    found = asked(Peer(_REFUSAL), lambda link: link.request("GET", "/x"))
    assert (found.status, found.retry_s, found.rsc) == (503, 7.0, "5000")


def test_request_is_as_firmware_writes_it_and_comes_from_its_address() -> None:
    peer = Peer(_WITH_LENGTH)
    asked(peer, lambda link: link.request("POST", "/x?k=1", b"{}", {"A": "b"}), source="127.9.8.7")
    lines = peer.heads[0].decode().split("\r\n")
    assert lines[0] == "POST /base/x?k=1 HTTP/1.1"
    assert {"A: b", "Content-Length: 2", "Accept-Encoding: identity"} <= set(lines)
    assert not any(each.lower().startswith("connection") for each in lines)
    assert peer.connections == ["127.9.8.7"]


@pytest.mark.parametrize(("keep", "connections"), [(True, 1), (False, 2)])
def test_connection_is_kept_if_that_is_wanted(keep: bool, connections: int) -> None:
    peer = Peer(_WITH_LENGTH, _WITH_LENGTH)

    async def twice(link: Link) -> Answer:
        await link.request("GET", "/x", keep=keep)
        return await link.request("GET", "/x", keep=keep)

    assert asked(peer, twice).status == 200
    assert len(peer.connections) == connections


def test_kept_connection_that_the_server_has_ended_is_opened_anew() -> None:
    peer = Peer(_WITH_LENGTH, _WITH_LENGTH, stays=False)

    async def twice(link: Link) -> Answer:
        await link.request("GET", "/x", keep=True)
        while link._kept is not None and link._kept.is_open:
            await asyncio.sleep(0.01)
        return await link.request("GET", "/x", keep=True)

    assert asked(peer, twice).status == 200
    assert len(peer.connections) == 2


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"SSH-2\r\n"]
)
def test_answer_that_is_none_is_no_answer(sent: bytes) -> None:
    found = asked(Peer(sent, stays=False), lambda link: link.request("GET", "/x"))
    assert found.status == 0 and found.reason in ("ConnectionResetError", "ConnectionError")


def test_server_that_is_silent_or_absent_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "DEADLINE_S", 0.05)
    found = asked(Peer(b""), lambda link: link.request("GET", "/x"))
    assert found.reason == "TimeoutError"
    absent = asyncio.run(Link("http://127.0.0.1:1").request("GET", "/"))
    assert absent.reason == "ConnectionRefusedError"


def test_certificate_is_judged(tmp_path: Path) -> None:
    authority = Authority()
    begin, end = datetime(2020, 1, 1), datetime(2060, 1, 1)  # noqa: DTZ001 - UTC is X.509's
    certificate, key = authority.issue(tmp_path, "127.0.0.1", begin, end)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def ask() -> list[Answer]:
        async with listening(Peer(_WITH_LENGTH, _WITH_LENGTH), context) as peer:
            trusting, other = Link(peer.url, ca=authority.der), Link(peer.url)
            found = [await trusting.request("GET", "/x", keep=True) for _ in range(2)]
            trusting.close()
            return [*found, await other.request("GET", "/x")]

    first, second, refused = asyncio.run(ask())
    assert (first.status, second.status) == (200, 200)
    assert (refused.status, refused.reason) == (0, "SSLCertVerificationError")


def test_header_of_two_lines_is_refused() -> None:
    with pytest.raises(HarnessError, match="two lines"):
        asyncio.run(Link("http://127.0.0.1:1").request("GET", "/", headers={"A": "b\r\nC: d"}))


def test_those_who_ask_at_once_share_kept_connections() -> None:
    peer = Peer(*[_WITH_LENGTH] * 6)

    async def ask() -> None:
        async with listening(peer):
            links = Links(peer.url)
            for _ in range(2):
                found = await asyncio.gather(*(links.request("GET", "/x") for _ in range(3)))
                assert [each.status for each in found] == [200] * 3
            links.close()

    asyncio.run(ask())
    assert len(peer.connections) == 3


def test_each_device_of_this_machine_has_an_address_of_its_own() -> None:
    found = {loopback_address("http://127.0.0.1:8421", n) for n in range(70_000)}
    assert len(found) == 70_000 and all(each and each.startswith("127.") for each in found)
    assert loopback_address("http://192.168.1.2:8421", 1) is None
