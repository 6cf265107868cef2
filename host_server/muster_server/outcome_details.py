# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The causes behind one outcome code, told apart by the device's own words in the detail.

tests/firmware holds the device to these words, from their real causes.
"""

_BETWEEN = (
    "Look at what stands between: a captive portal, a proxy or a load balancer; the detail has "
    "what it says of itself. The device tries again by itself."
)
# Code, words of the detail, what happened, what to do. The first that fits is told.
DETAILS = (
    (
        "platform_unreachable",
        "something else answered there",
        "Something else than the platform {platform} answered in its place.",
        _BETWEEN,
    ),
    (
        "server_unreachable",
        "something else answered there",
        "Something else than the configuration server answered in its place.",
        _BETWEEN,
    ),
    (
        "platform_unreachable",
        "the answer is compressed",
        "Something between the device and the platform {platform} compresses its answers, which "
        "the device cannot read.",
        "Switch compression off there, for these paths.",
    ),
    (
        "platform_unreachable",
        "left alone",
        "The platform {platform} wants to be left alone for a while.",
        "The device waits and tries again by itself.",
    ),
    (
        "platform_unreachable",
        "HTTP 429",
        "The platform {platform}, or what stands before it, is asked too much.",
        "The device waits as long as it was told to; if it happens often, let it publish less.",
    ),
    (
        "platform_unreachable",
        "has no address here",
        "The name in {platform} has no address on the network {operational}, or no name server "
        "answers there.",
        "Check the name in the profile, and that the network's name server knows it (with an "
        "IPv4 address).",
    ),
    (
        "platform_unreachable",
        "nobody listens there",
        "Where the platform {platform} should be, nobody listens.",
        "Check that it runs, and its port in the profile.",
    ),
    (
        "platform_tls",
        "chain incomplete",
        "The certificate of the platform {platform} does not lead to the CA of the profile: it is "
        "another authority's, or the chain is incomplete or in the wrong order.",
        "Compare the CA in the profile; let the server send its own certificate first and each "
        "intermediate one after the one that it has signed.",
    ),
    (
        "platform_tls",
        "does not match",
        "The certificate of the platform {platform} is for another name.",
        "Correct the name in the profile's URL, or give the server a certificate for it.",
    ),
    (
        "platform_tls",
        "has expired",
        "The certificate of the platform {platform} has expired.",
        "Renew it at the server.",
    ),
    (
        "platform_tls",
        "starts in the future",
        "The certificate of the platform {platform} is not good yet.",
        "Check the server's clock and the certificate's dates.",
    ),
    (
        "platform_tls",
        "no common version or cipher",
        "The platform {platform} and the device found no common version or cipher of TLS.",
        "Let the server take TLS 1.2 with ECDHE, AES-GCM and P-256 or P-384, for the name in the "
        "profile.",
    ),
    (
        "platform_tls",
        "was cut off",
        "The handshake of TLS with the platform {platform} was cut off.",
        "The device tries again by itself; if it happens again, look at what stands between and "
        "at the platform's log.",
    ),
    (
        "platform_tls",
        "does not speak TLS",
        "What answers at {platform} does not speak TLS.",
        "Check the port in the profile, and whether it should say http.",
    ),
    (
        "platform_tls",
        "no memory for TLS",
        "The device had no memory left for a secure connection to the platform {platform}.",
        "Let its application use less memory, or freeze Muster into the board's image "
        "(docs/image.md).",
    ),
)


def of(code: str, detail: str) -> tuple[str, str] | None:
    """Return what happened and what to do, None if the detail says no more than the code."""
    for wanted, words, happened, to_do in DETAILS:
        if code == wanted and words in detail:
            return happened, to_do
    return None
