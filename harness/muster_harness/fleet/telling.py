# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The figures of a run as JSON and for people, and what to do about what went wrong."""

from typing import Any

from muster_harness.fleet.run import LATE
from muster_harness.fleet.shares import Outcome

_LATE_MS = 1000  # so late may a device be because of this program
_MOST_TOLD = 20
# What is to be done about a refusal, by what it says.
_ADVICE = (
    ("ConnectionRefusedError", "nobody listens there: do the servers run? see --portal, --server"),
    ("gaierror", "the name of a server is not known here: see --portal, --server"),
    ("TimeoutError", "a server does not answer: is it overloaded, is there a firewall between?"),
    ("SSLCertVerificationError", "the certificate is not trusted: see --ca-file"),
    ("ConnectionError", "what answers there is no HTTP: see --portal, --server"),
    ("claim: HTTP 401", "the token is not this portal's administrator's: see --token-file"),
    ("claim: HTTP 404", "there is no such profile, or no portal: see --profile, --portal"),
    ("HTTP 429", "the limits of the server are for fewer: muster serve --limit-address, or wait"),
    ("HTTP 403 not_recognised", "the ledger is of other servers, or they have lost the device"),
)


def figures(outcome: Outcome, *, has_server: bool) -> dict[str, Any]:
    """Return what is told as JSON; `has_server` if the CPU time of servers was counted."""
    done = outcome.figures.count(outcome.whole)
    found: dict[str, Any] = {
        "devices": outcome.devices,
        "done": done,
        "given_up": len(outcome.given_up),
        "seconds": round(outcome.seconds, 2),
        "per_s": round(done / outcome.seconds, 2),
        "times": outcome.figures.summary(),
        "refusals": dict(outcome.figures.refusals.most_common(_MOST_TOLD)),
        "generator_cpu_ms_each": round(outcome.own_cpu_s * 1000 / max(1, done), 3),
    }
    if has_server:
        found["server_cpu_ms_each"] = round(outcome.server_cpu_s * 1000 / max(1, done), 2)
    return found


def told(found: dict[str, Any], whole: str) -> str:
    """Return the same for people, with what to do about refusals."""
    lines = [
        table(found["times"]),
        f"{found['done']} of {found['devices']} in {found['seconds']} s: "
        f"{found['per_s']} a second ({whole})",
    ]
    if "server_cpu_ms_each" in found:
        lines.append(f"{found['server_cpu_ms_each']} ms of the servers' CPU time each")
    lines.append(f"{found['generator_cpu_ms_each']:.2f} ms of this program's CPU time each")
    lines += [f"{count:>8} x {what}" for what, count in found["refusals"].items()]
    if found["given_up"]:
        lines.append(f"{found['given_up']} gave up")
        lines += dict.fromkeys(text for what in found["refusals"] for text in _advice(what))
    late = found["times"].get(LATE)
    if late and late["p99_ms"] > _LATE_MS:
        lines.append(
            "This program could not let them come in time, so their times are too long: "
            "give more --clients or --processes."
        )
    return "\n".join(lines)


def _advice(what: str) -> list[str]:
    return [f"  {text}" for sign, text in _ADVICE if sign in what]


def table(summary: dict[str, Any]) -> str:
    """Return times as lines for people."""
    lines = [f"{'':<20}{'count':>8}{'p50 ms':>10}{'p90 ms':>10}{'p99 ms':>10}{'longest':>10}"]
    for what, row in summary.items():
        lines.append(
            f"{what:<20}{row['count']:>8}{row['p50_ms']:>10.1f}{row['p90_ms']:>10.1f}"
            f"{row['p99_ms']:>10.1f}{row['longest_ms']:>10.1f}"
        )
    return "\n".join(lines)
