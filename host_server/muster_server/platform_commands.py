# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster platform check`: what somebody else's platform can, and how it is set up for devices."""

import sys
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from muster_server.commands import print_json, say
from muster_server.errors import SettingsError
from muster_server.platform_probes import NO, PARTLY, YES, Finding, found_at
from muster_server.platform_trial import reach_of
from muster_server.platform_visit import Place, Visit
from muster_server.private_files import named, read_private
from muster_server.settings import certificate_authorities, is_loopback

_MUSTERS_ADMIN = "CAdmin"
_ALLOWED = "Cmuster*"


def check_platform(options: Namespace) -> int:
    """Tell what was found; 1 if no device could work there.

    Raises ServiceUnreachable if it falls silent, SettingsError if an option is wrong; what was
    made there until then is removed all the same.
    """
    visit = Visit(_place(options))
    findings: list[Finding] = []
    left: list[str] = []
    try:
        findings = found_at(visit)
    finally:
        left = visit.leave()
        if left:
            print(f"left behind, remove it there: {', '.join(left)}", file=sys.stderr)
    is_usable = all(f.verdict != NO for f in findings if f.is_needed)
    advice = _advice(visit, findings)
    if options.json:
        print_json(
            {
                "url": visit.place.url,
                "is_usable": is_usable,
                "findings": [asdict(finding) for finding in findings],
                "advice": advice,
                "left": left,
            }
        )
    else:
        _tell(findings, advice)
    return 0 if is_usable else 1


def _place(options: Namespace) -> Place:
    url = options.url.rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise SettingsError(f'url: wanted http://… or https://…, got "{options.url}"')
    token = None
    if options.platform_token_file is not None:
        path = Path(options.platform_token_file)
        if url.startswith("http://") and not is_loopback(url):
            raise SettingsError(f"url: a token does not travel in the clear to {url}; take https")
        with named("--platform-token-file", path):
            token = read_private(path).strip()
    admin = options.admin or (None if token is None else _MUSTERS_ADMIN)
    return Place(url, options.cse, certificate_authorities(options.ca_file), admin, token)


def _tell(findings: list[Finding], advice: list[str]) -> None:
    width = max(len(finding.feature) for finding in findings)
    for finding in findings:
        line = f"{finding.feature:<{width}}  {finding.verdict:<6}  {finding.detail}"
        print(line.rstrip())
    print()
    say(*advice)


def _advice(visit: Visit, findings: list[Finding]) -> list[str]:
    verdicts = {finding.feature: finding for finding in findings}
    lines = [f"its operator {text}" for text in _for_the_operator(visit, verdicts)]
    last = findings[-1]
    if last.is_needed and last.verdict == NO:
        return [*lines, f"no device can work there: {last.feature}: {last.detail}"]
    profile = f'{{"url": "{visit.place.url}", "cse": "{visit.place.cse}", "rvi": "{visit.release}"'
    lines.append(f'profile: "platform": {profile}, "api": "N…"}}')
    if visit.place.url.startswith("http://") and not is_loopback(visit.place.url):
        lines.append("readings travel in the clear: give it a certificate, and the profile its ca")
    if unreachable := reach_of(visit.place.url):
        lines.append(f"note: {unreachable}")
    return lines


def _for_the_operator(visit: Visit, verdicts: dict[str, Finding]) -> list[str]:
    said = []
    registration = verdicts.get("registration")
    if registration is not None and visit.place.token is None:
        said.append(f"lets originators in by the pattern {_ALLOWED}, and removes AEs of the gone")
    private, policies = (
        verdicts.get("readings are private"),
        verdicts.get("access control policies"),
    )
    if private is not None and private.verdict == NO:
        said.append("keeps strangers off: whoever is registered reads everything")
    if policies is not None and policies.verdict == YES:
        said.append("names applications in a policy, whose address becomes platform.acpi")
    nodes = verdicts.get("nodes")
    if nodes is not None and nodes.verdict in (YES, PARTLY):
        said.append(f"has nodes for devices ({nodes.detail})")
    return said
