# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are the signatures those of Standard Webhooks?"""

import base64

from muster_server.portal.webhook_signature import headers, secret_text

# The vector of the reference implementations' own tests.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_signature_is_that_of_the_published_vector() -> None:
    secret = base64.b64decode(SECRET.removeprefix("whsec_"))
    assert headers(secret, ID, AT, BODY) == [
        ("webhook-id", ID),
        ("webhook-timestamp", str(AT)),
        ("webhook-signature", SIGNATURE),
    ]
    assert secret_text(secret) == SECRET


def test_each_of_id_time_and_body_is_signed() -> None:
    secret = bytes(32)
    marks = {
        dict(headers(secret, *changed))["webhook-signature"]
        for changed in ((ID, AT, BODY), ("msg_x", AT, BODY), (ID, AT + 1, BODY), (ID, AT, b"{}"))
    }
    assert len(marks) == 4
