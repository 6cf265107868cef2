# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The page of the setup network, in front of guests that behave badly. tests/system has it on the
# air, and in a browser.

import asyncio
import errno
import os

from bringing import _GOOD, Start, _on
from ram_disk import RAMDisk

from muster import inbox
from muster.setup_page import Page

_REQUEST = "POST /bundle HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s"


class Guest:
    # Both ends of one connection. answers: how much of the answer it waits for. is_patient: it
    # says no more, and stays.
    def __init__(self, said, answers=10000, is_patient=False):
        self._said = said.encode()
        self._is_patient = is_patient
        self._room = answers
        self.heard = b""

    async def read(self, most):
        if not self._said and self._is_patient:
            await asyncio.sleep(60)
        piece, self._said = self._said[:most], self._said[most:]
        return piece

    def write(self, data):
        self.heard += data.encode() if isinstance(data, str) else data

    async def drain(self):
        if len(self.heard) > self._room:
            raise OSError(errno.ECONNRESET)

    def close(self):
        pass

    async def wait_closed(self):
        pass


def _page(start):
    return Page(start, "SETUP-PRESS-4", "192.168.4.1", [])


async def test_a_bundle_is_accepted_even_if_its_guest_goes_without_the_answer():
    async def act():
        page = _page(Start())
        guest = Guest(_REQUEST % (len(_GOOD), _GOOD), 0)
        await page.serve(guest, guest)
        assert page.accepted.is_set()
        assert inbox.find() == "/flash/PRESS-4.page.muster"

    await _on(RAMDisk(), act, True)


async def test_a_guest_that_goes_in_the_middle_leaves_nothing_and_keeps_nobody_out():
    async def act():
        page = _page(Start())
        gone = Guest(_REQUEST % (len(_GOOD), _GOOD[:-40]))
        await page.serve(gone, gone)
        assert not page.accepted.is_set() and inbox.find() is None
        guest = Guest(_REQUEST % (len(_GOOD), _GOOD))
        await page.serve(guest, guest)
        assert guest.heard.startswith(b"HTTP/1.1 200 ") and page.accepted.is_set()

    await _on(RAMDisk(), act, True)


async def test_when_the_network_closes_nobody_is_served_any_more():
    async def act():
        page = _page(Start())
        guest = Guest(_REQUEST % (len(_GOOD), _GOOD[:-40]), is_patient=True)
        task = asyncio.create_task(page.serve(guest, guest))
        await asyncio.sleep_ms(20)
        assert os.listdir("/flash") == ["muster", "page.part"]
        page.close()
        await asyncio.sleep_ms(20)
        assert task.done() and os.listdir("/flash") == ["muster"]

    await _on(RAMDisk(), act, True)


async def test_the_page_of_another_site_cannot_send_a_bundle():
    async def act():
        page = _page(Start())
        for origin, status in (("http://192.168.4.1", b"200"), ("https://evil.example", b"400")):
            headers = "Host: 192.168.4.1\r\nOrigin: %s\r\nContent-Length:" % origin
            guest = Guest((_REQUEST % (len(_GOOD), _GOOD)).replace("Content-Length:", headers))
            await page.serve(guest, guest)
            assert guest.heard[9:12] == status, guest.heard
            page.accepted.clear()

    await _on(RAMDisk(), act, True)


async def test_a_guest_for_whom_there_is_no_memory_is_told():
    async def act():
        page = _page(Start())

        def fails():
            raise MemoryError

        page._look = fails
        guest = Guest("GET / HTTP/1.1\r\n\r\n")
        await page.serve(guest, guest)
        assert guest.heard.startswith(b"HTTP/1.1 503 ") and b"Retry-After" in guest.heard

    await _on(RAMDisk(), act, True)
