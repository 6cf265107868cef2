# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do the golden messages promise to their readers?"""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe as joserfc_jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from jwcrypto import jwe as jwcrypto_jwe
from jwcrypto import jwk as jwcrypto_jwk
from noise.connection import Keypair, NoiseConnection

from tests.wire.bundles import base64url, bundle_key
from tests.wire.make import documents, rendered

HERE = Path(__file__).parent
VECTORS = "noise-nnpsk0-25519-chachapoly-sha256.json"


@pytest.mark.parametrize("name", list(documents()))
def test_files_say_what_their_source_says(name: str) -> None:
    assert (HERE / f"{name}.json").read_text() == rendered(documents()[name])


def test_every_case_has_a_name_of_its_own_and_a_verdict() -> None:
    for document in documents().values():
        names = [case["name"] for case in document["cases"]]
        assert len(set(names)) == len(names)
        assert all(isinstance(case["valid"], bool) for case in document["cases"])


def _side(vector: dict[str, Any], who: str) -> NoiseConnection:
    side = NoiseConnection.from_name(vector["protocol_name"].encode())
    side.set_prologue(bytes.fromhex(vector[f"{who}_prologue"]))
    side.set_psks(psks=[bytes.fromhex(psk) for psk in vector[f"{who}_psks"]])
    ephemeral = bytes.fromhex(vector[f"{who}_ephemeral"])
    side.set_keypair_from_private_bytes(Keypair.EPHEMERAL, ephemeral)
    return side


def test_library_behind_the_exchanges_agrees_with_the_published_vectors() -> None:
    (vector,) = json.loads((HERE / VECTORS).read_text())["vectors"]
    device, server = _side(vector, "init"), _side(vector, "resp")
    device.set_as_initiator()
    server.set_as_responder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        device.start_handshake()
        server.start_handshake()
    first, second, *transport = vector["messages"]
    message = device.write_message(bytes.fromhex(first["payload"]))
    assert message.hex() == first["ciphertext"]
    assert server.read_message(bytes(message)).hex() == first["payload"]
    message = server.write_message(bytes.fromhex(second["payload"]))
    assert message.hex() == second["ciphertext"]
    assert device.read_message(bytes(message)).hex() == second["payload"]
    for n, later in enumerate(transport):
        sender = (device, server)[n % 2]
        assert sender.encrypt(bytes.fromhex(later["payload"])).hex() == later["ciphertext"]


def _bundles() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((HERE / "bundles.json").read_text())["cases"]
    return cases


def _key(case: dict[str, Any]) -> bytes:
    return bundle_key(case["device_id"], bytes.fromhex(case["secret_hex"]))


def _by_jwcrypto(case: dict[str, Any]) -> str:
    token = jwcrypto_jwe.JWE()
    token.deserialize(
        "".join(case["bundle"].split()), key=jwcrypto_jwk.JWK(kty="oct", k=base64url(_key(case)))
    )
    content: bytes = token.payload
    return content.decode()


def _by_joserfc(case: dict[str, Any]) -> str:
    found = joserfc_jwe.decrypt_compact(
        "".join(case["bundle"].split()),
        OctKey.import_key(_key(case)),
        algorithms=["dir", "A128CBC-HS256"],
    )
    assert found.plaintext is not None
    return found.plaintext.decode()


@pytest.mark.parametrize("open_bundle", [_by_jwcrypto, _by_joserfc])
def test_two_libraries_open_every_good_bundle(
    open_bundle: Callable[[dict[str, Any]], str],
) -> None:
    good = [case for case in _bundles() if case["valid"]]
    assert [open_bundle(case) for case in good] == [case["plaintext"] for case in good]


def test_two_libraries_refuse_what_another_key_has_sealed() -> None:
    for case in _bundles():
        if not case["valid"] and case["path"] == "tag":
            with pytest.raises(jwcrypto_jwe.InvalidJWEData):
                _by_jwcrypto(case)
            with pytest.raises(JoseError):
                _by_joserfc(case)
