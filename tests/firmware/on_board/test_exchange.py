# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Who has answered in the place of a configuration server.

from muster.exchange import _is_own


def test_only_what_is_sealed_or_a_problem_is_the_configuration_server_s():
    sealed = {"content-type": "application/octet-stream"}
    problem = {"content-type": "application/problem+json; charset=utf-8"}
    assert _is_own(200, sealed) and _is_own(403, problem) and _is_own(503, problem)
    for status, headers in (
        (200, {"content-type": "text/html"}),
        (200, problem),
        (200, {}),
        (302, sealed),
        (403, {"content-type": "application/json"}),
    ):
        assert not _is_own(status, headers), (status, headers)
