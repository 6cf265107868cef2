# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do `muster certs dev` and the servers' https promise?"""

import base64
import json
import re
import socket
import ssl
import threading
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from muster_server import cli
from muster_server.certificates import make_development, server_context
from muster_server.config_server.profile import checked_profile
from muster_server.errors import SettingsError
from muster_server.label import new_label
from muster_server.settings import Certificate
from tests.host_server.config_server.field import PROFILE
from tests.host_server.processes import QUIET, run_serve, start

# What an ESP32's mbedTLS offers that is worth having, and no curve that it lacks.
_OF_AN_ESP32 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds an authority and a certificate for localhost."""
    make_development(tmp_path / "certs", [], 30)
    return tmp_path / "certs"


def certificate(folder: Path) -> Certificate:
    return Certificate(folder / "server.pem", folder / "server.key", "--platform-cert")


def test_certificates_are_for_the_names_given_and_for_this_machine(tmp_path: Path) -> None:
    made = make_development(tmp_path, ["m2m.example", "192.168.1.10"], 30)
    shown = x509.load_pem_x509_certificate(made.chain.read_bytes())
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["m2m.example", "localhost"]
    found = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    assert found == ["192.168.1.10", "127.0.0.1"]
    key = shown.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"


def test_keys_are_readable_by_their_owner_only(folder: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes["ca.key"] == modes["server.key"] == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_authority_is_kept_so_that_devices_go_on_trusting_it(folder: Path) -> None:
    before, shown = (folder / "ca.b64").read_text(), (folder / "server.pem").read_bytes()
    make_development(folder, ["other.example"], 30)
    assert (folder / "ca.b64").read_text() == before
    assert (folder / "server.pem").read_bytes() != shown


def test_half_an_authority_is_refused_with_the_cure(folder: Path) -> None:
    (folder / "ca.key").unlink()
    with pytest.raises(SettingsError, match="remove both"):
        make_development(folder, [], 30)


@pytest.mark.parametrize("name", ["", "http://m2m.example", "m2m.example:8422", "münchen", "."])
def test_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="--name: wanted a host name or an address"):
        make_development(tmp_path / "certs", [name], 30)
    assert not (tmp_path / "certs").exists()


def test_printed_authority_fits_a_profile_as_it_is_and_as_pem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "certs"
    assert cli.main(["certs", "dev", "--out", str(out), "--name", "m2m.example"]) == 0
    printed = capsys.readouterr().out.splitlines()[-1]
    assert "PRIVATE" not in printed
    secure = {"url": "https://m2m.example:8422", "cse": "cse-in", "api": "Norg.example.press"}
    for ca in (printed, (out / "ca.pem").read_text()):
        profile = PROFILE | {"platform": secure | {"ca": ca}}
        kept = checked_profile(profile, has_accounts=True, server_url="http://127.0.0.1:8421")
        assert kept["platform"]["ca"] == printed
        x509.load_der_x509_certificate(base64.b64decode(kept["platform"]["ca"]))


def handshake(folder: Path, client: ssl.SSLContext) -> tuple[str, str]:
    """The suite and the version that this client gets from our server."""
    context = server_context(certificate(folder))
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            context.wrap_socket(ours, server_side=True).close()
        except ssl.SSLError:
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(theirs, server_hostname="localhost") as stream:
            suite, version = stream.cipher(), stream.version()
    finally:
        theirs.close()
        thread.join(5)
        ours.close()
    assert suite is not None and version is not None
    return suite[0], version


def client(folder: Path, suites: str = "DEFAULT") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suites)
    return context


def test_server_agrees_with_what_an_esp32_offers(folder: Path) -> None:
    esp32 = client(folder, _OF_AN_ESP32)
    esp32.set_ecdh_curve("prime256v1")  # it has no Curve25519
    suite, version = handshake(folder, esp32)
    assert suite in _OF_AN_ESP32
    assert version == "TLSv1.2"


def test_server_refuses_older_suites_and_versions(folder: Path) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(folder, client(folder, "ECDHE+AES128+SHA256:!AESGCM:@SECLEVEL=0"))


@pytest.mark.parametrize("wrong", ["server.pem", "server.key"])
def test_files_that_do_not_fit_are_named(folder: Path, wrong: str) -> None:
    (folder / wrong).write_text("nothing of the kind")
    with pytest.raises(SettingsError, match="--platform-cert: .* are not a certificate in PEM"):
        server_context(certificate(folder))


def test_absent_file_is_named(folder: Path) -> None:
    (folder / "server.pem").unlink()
    with pytest.raises(SettingsError, match=r"cannot read .*server\.pem"):
        server_context(certificate(folder))


def test_key_that_all_can_read_is_refused(folder: Path) -> None:
    (folder / "server.key").chmod(0o644)
    process = run_serve(
        *("--data", str(folder / "data"), "--role", "platform"),
        *("--platform-listen", "127.0.0.1:0", "--platform-cert", str(folder / "server.pem")),
        *("--platform-key", str(folder / "server.key")),
    )
    assert process.returncode == 2
    assert "chmod 600" in process.stderr
    assert "Traceback" not in process.stderr


def test_all_three_servers_speak_https_and_reach_each_other(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = [(f"--{role}-cert", f"--{role}-key") for role in ("portal", "config", "platform")]
    files = (str(folder / "server.pem"), str(folder / "server.key"))
    secured = [word for pair in shown for words in zip(pair, files, strict=True) for word in words]
    token, ca = tmp_path / "token", str(folder / "ca.pem")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        tls_listen = f"127.0.0.1:{probe.getsockname()[1]}"
    running = start(
        tmp_path / "data",
        *secured,
        *("--ca-file", ca, "--admin-token-file", str(token), *QUIET),
        *("--portal-listen", "127.0.0.1:0", "--platform-listen", "127.0.0.1:0"),
        *("--config-listen", "127.0.0.1:0", "--config-tls-listen", tls_listen),
        *("--config-url", f"https://{tls_listen}"),
    )
    try:
        ready = "".join(running.lines)
        assert re.search(r"portal ready https://", ready)
        assert re.search(rf"config ready http://\S+ https://{tls_listen}", ready)
        assert re.search(r"platform ready https://", ready)
        with pytest.raises(requests.ConnectionError):  # nobody has to trust our authority
            requests.get(running.urls["portal"] + "/v1/devices", timeout=5)
        secure = {"url": running.urls["platform"], "ca": (folder / "ca.pem").read_text()}
        fields = {k: v for k, v in PROFILE["platform"].items() if k != "insecure"} | secure
        profile = tmp_path / "press.json"
        profile.write_text(json.dumps(PROFILE | {"platform": fields}))
        options = ["--portal", running.urls["portal"], "--token-file", str(token)]
        options += ["--ca-file", ca]
        assert cli.main(["profile", "add", str(profile), *options]) == 0
        label = new_label().qr_text
        assert cli.main(["device", "add", label, "--profile", "press", *options]) == 0
    finally:
        code, _, err = running.stop()
    assert (code, "Traceback" in err) == (0, False)
