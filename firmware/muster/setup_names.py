# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The DNS of the setup network (RFC 1035): every name is the device itself, so that a phone that
# looks whether there is an internet comes to the page, and opens it. Loaded while it is open.

import asyncio

from micropython import const

_PORT = const(53)
_LARGEST = const(512)  # RFC 1035, 4.2.1
_HEAD = const(12)
_LONGEST_NAME = const(255)
_A = const(1)
_ANY = const(255)
_POLL_MS = const(30)


# Answers until it is cancelled. Raises OSError if there is no socket to be had.
async def serve(address):
    import select
    import socket

    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        endpoint.setblocking(False)
        endpoint.bind((address, _PORT))
        looking = select.poll()
        looking.register(endpoint, select.POLLIN)
        own = bytes([int(octet) for octet in address.split(".")])
        while True:
            if not looking.poll(0):  # recvfrom would take its room before it knows
                await asyncio.sleep_ms(_POLL_MS)
                continue
            try:
                question, guest = endpoint.recvfrom(_LARGEST)
                found = answer(question, own)
                if found:
                    endpoint.sendto(found, guest)
            except OSError:  # gone again, or no room to send now: it asks again
                pass
            await asyncio.sleep_ms(0)  # whoever floods us does not stop the event loop
    finally:
        endpoint.close()


# Returns the answer to a question, or None if it is none. own: the address that every name has,
# as four bytes; there is no other kind of record. It may not be kept, for it is not true
# elsewhere.
def answer(question, own):
    end = _end_of_question(question)
    if end is None:
        return None
    kind = question[end - 4] << 8 | question[end - 3]
    has_address = kind in (_A, _ANY)
    # It is an answer, authoritative, and recursion is said to be available.
    head = question[:2] + bytes([0x84 | question[2] & 1, 0x80, 0, 1, 0, has_address, 0, 0, 0, 0])
    found = head + question[_HEAD:end]
    if has_address:
        found += b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + own
    return found


# Returns where the one question of a standard query ends, or None if that is not what it is.
def _end_of_question(data):
    if len(data) < _HEAD or data[2] & 0xF8 or data[4:6] != b"\0\1":
        return None
    at = _HEAD
    while at < len(data) and data[at]:
        if data[at] > 63:
            return None
        at += data[at] + 1
    end = at + 5  # the empty label, type and class
    if at - _HEAD >= _LONGEST_NAME or end > len(data) or data[end - 2 : end] != b"\0\1":
        return None
    return end
