# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""DNS-SD answers as python-zeroconf writes them, for the device's parser.

`python -m tests.firmware.dnssd_answers` writes on_board/dnssd_answers.json anew.
"""

import json
import socket
from typing import Any

from zeroconf import ServiceInfo
from zeroconf._dns import DNSQuestion, DNSRecord
from zeroconf._protocol.outgoing import DNSOutgoing

from tests.firmware.interpreters import ON_BOARD

PATH = ON_BOARD / "dnssd_answers.json"
IDENT = 0x4D53
_ANSWER = 0x8400
_SERVICE = "_muster._tcp.local."


def server(name: str, *addresses: str, port: int = 8421) -> ServiceInfo:
    """One configuration server, as it registers itself."""
    return ServiceInfo(
        _SERVICE,
        f"{name}.{_SERVICE}",
        port=port,
        addresses=[socket.inet_pton(_family(a), a) for a in addresses],
        properties={"v": "1"},
        server=f"{name.lower()}-host.local.",
    )


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def packet(answers: list[DNSRecord], additionals: list[DNSRecord], question: bool = True) -> str:
    """An answer to a one-shot query; RFC 6762, section 6.7, has it repeat the question."""
    out = DNSOutgoing(_ANSWER, multicast=False, id_=IDENT)
    if question:
        out.add_question(DNSQuestion(_SERVICE, 12, 1))
    for record in answers:
        out.add_answer_at_time(record, 0)
    for record in additionals:
        out.add_additional_answer(record)
    (packet,) = out.packets()
    return packet.hex()


def _rest(info: ServiceInfo) -> list[DNSRecord]:
    return [info.dns_service(), info.dns_text(), *info.dns_addresses()]


def document() -> dict[str, Any]:
    """Every case: the packet and the answers in it, whatever network they are on."""
    one = server("Muster", "192.168.4.2")
    other = server("Spare", "192.168.4.3", port=9000)
    homes = server("Homes", "10.0.0.1", "192.168.4.9", "fe80::1")
    crowd = [server(f"S{i}", f"192.168.4.{i}") for i in range(1, 7)]
    found_one = ["muster", "192.168.4.2", 8421, {"v": "1"}]
    found_other = ["spare", "192.168.4.3", 9000, {"v": "1"}]
    cases = [
        ("additional", packet([one.dns_pointer()], _rest(one)), [found_one]),
        ("without-question", packet([one.dns_pointer()], _rest(one), False), [found_one]),
        ("all-answers", packet([one.dns_pointer(), *_rest(one)], []), [found_one]),
        ("backwards", packet([*reversed(_rest(one)), one.dns_pointer()], []), [found_one]),
        (
            "two-servers",
            packet([one.dns_pointer(), other.dns_pointer()], [*_rest(one), *_rest(other)]),
            [found_one, found_other],
        ),
        (
            "several-addresses",
            packet([homes.dns_pointer()], _rest(homes)),
            [
                ["homes", "10.0.0.1", 8421, {"v": "1"}],
                ["homes", "192.168.4.9", 8421, {"v": "1"}],
            ],
        ),
        ("pointer-alone", packet([one.dns_pointer()], []), []),
        ("without-pointer", packet(_rest(one), []), []),
        (
            "crowd",
            packet([s.dns_pointer() for s in crowd], [r for s in crowd for r in _rest(s)]),
            [[f"s{i}", f"192.168.4.{i}", 8421, {"v": "1"}] for i in range(1, 5)],
        ),
    ]
    return {
        "about": "Answers to the query with id 4d53, made by python-zeroconf.",
        "cases": [
            {"name": name, "packet_hex": text, "found": found} for name, text, found in cases
        ],
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(document(), indent=1) + "\n")
