# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a stranger's hint to wait may do.

import time

from muster import connecting
from muster.clock import Clock
from muster.contact import Contact


class Journal:
    silent_h = 0


def test_a_hint_to_wait_makes_a_contact_later_but_never_sooner():
    contact = Contact(None, Clock(lambda date: None, 0, 0, None), Journal, None)
    contact.due_in(60)
    connecting.wait(contact, 1)
    assert 59000 < time.ticks_diff(contact.next, time.ticks_ms()) <= 60000
    connecting.wait(contact, 120)
    assert 119000 < time.ticks_diff(contact.next, time.ticks_ms()) <= 120000
