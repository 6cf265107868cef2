# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do the servers' options promise?"""

from pathlib import Path

import pytest

from muster_server.errors import SettingsError
from muster_server.settings import Address, read_settings, service_url


def test_nothing_said_means_all_roles_on_this_machine() -> None:
    settings = read_settings({}, {})
    assert settings.roles == ("portal", "config", "platform")
    assert settings.config_listens == (Address("127.0.0.1", 8421),)
    assert settings.data_dir == Path("muster-data")


def test_flag_wins_over_the_environment() -> None:
    environ = {"MUSTER_PORTAL_LISTEN": "127.0.0.1:1", "MUSTER_ROLE": "portal,config"}
    settings = read_settings({"portal_listen": "127.0.0.1:2", "role": None}, environ)
    assert settings.portal_listen.port == 2
    assert settings.roles == ("portal", "config")


def test_configuration_server_may_listen_on_several_sides() -> None:
    listens = ["127.1.0.1:8421", "127.2.0.1:8421"]
    settings = read_settings({"config_listen": listens}, {})
    assert [a.url for a in settings.config_listens] == [f"http://{a}" for a in listens]


@pytest.mark.parametrize(
    ("flag", "value", "wanted"),
    [
        ("limit_address", "60", "--limit-address: wanted how many at once and how many a second"),
        ("limit_device", "0/1", "--limit-device"),
        ("limit_strangers", "nan/1", "--limit-strangers"),
        ("syncs_at_once", "0", "--syncs-at-once: wanted a number from 1 to 1000"),
        ("syncs_waiting", "many", "--syncs-waiting"),
        ("portal_listen", "8420", "--portal-listen: wanted an IPv4 address and a port"),
        ("portal_listen", "127.0.0.1:99999", "--portal-listen"),
        ("portal_listen", "localhost:1", "--portal-listen"),
        ("config_public_url", "muster.example", "--config-public-url: wanted the form"),
        ("config_public_url", "http://[fd00::1]:8421", "--config-public-url: wanted the form"),
        ("platform_public_url", "HTTP://a", "--platform-public-url: wanted the form"),
        ("config_public_url", "http://u:p@muster.example", "--config-public-url"),
        ("platform_url", "http://muster.example", "--platform-url: wanted https"),
        ("portal_cert", "server.pem", "--portal-cert and --portal-key: wanted both or neither"),
        ("config_tls_listen", ["127.0.0.1:1"], "--config-cert and --config-tls-listen"),
        ("role", ["server"], 'no role named "server"; there are portal, config, platform'),
    ],
)
def test_bad_value_names_the_option_and_the_wanted_form(
    flag: str, value: object, wanted: str
) -> None:
    with pytest.raises(SettingsError, match=wanted):
        read_settings({flag: value}, {})


@pytest.mark.parametrize(
    "url", ["http://127.9.9.9:8421", "http://localhost:1", "http://[::1]:1", "https://a.example"]
)
def test_service_url_is_loopback_or_https(url: str) -> None:
    assert service_url(url, "--config-url") == url


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:8421", "http://127.0.0.1.example", "http://localhost.example"]
)
def test_service_url_elsewhere_without_https_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="https"):
        service_url(url, "--config-url")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.pem", "No such file"), ("empty.pem", "no certificates in PEM"), (".", "directory")],
)
def test_authorities_that_are_none_are_said_so_at_the_start(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "empty.pem").touch()
    with pytest.raises(SettingsError, match=f"--ca-file: .*{reason}"):
        read_settings({"ca_file": str(tmp_path / name)}, {})


def test_secrets_are_not_in_the_repr() -> None:
    secret = "a-secret-of-some-length"
    names = ("MUSTER_SECRET_KEY", "MUSTER_CONFIG_TOKEN", "MUSTER_PLATFORM_TOKEN")
    assert secret not in repr(read_settings({}, dict.fromkeys(names, secret)))


@pytest.mark.parametrize("address", ["192.168.1.10:8420", "0.0.0.0:8420"])
def test_portal_beyond_this_machine_needs_tls_or_is_called_insecure(address: str) -> None:
    with pytest.raises(SettingsError, match=r"--portal-listen: .*labels.*or say --insecure"):
        read_settings({"portal_listen": address}, {})
    assert read_settings({"portal_listen": address, "insecure": "yes"}, {}).insecure
    secured = {"portal_cert": "server.pem", "portal_key": "server.key"}
    assert not read_settings({"portal_listen": address, **secured}, {}).insecure
    assert read_settings({"portal_listen": address, "role": ["config"]}, {}).roles == ("config",)


def test_proxies_are_addresses_and_networks() -> None:
    environ = {"MUSTER_TRUSTED_PROXY": "127.0.0.1, 10.0.0.0/8"}
    assert read_settings({}, environ).trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8")
    assert read_settings({}, {}).trusted_proxies == ()
    for wrong in ("*", "proxy.example", "10.0.0.1/8"):
        with pytest.raises(SettingsError, match="--trusted-proxy"):
            read_settings({"trusted_proxy": [wrong]}, {})


def test_limits_are_those_of_the_server_unless_they_are_given() -> None:
    assert read_settings({}, {}).limits == {}
    environ = {"MUSTER_LIMIT_ADDRESS": "600/200", "MUSTER_SYNCS_WAITING": "2000"}
    found = read_settings({"limit_strangers": "5/0.5"}, environ).limits
    assert found == {"by_address": (600, 200), "strangers": (5, 0.5), "waiting": 2000}


def test_file_of_init_says_which_options_it_can_hold_and_where_the_others_go(
    tmp_path: Path,
) -> None:
    (tmp_path / "settings.toml").write_text('portal-listen = "127.0.0.1:9420"\n')
    with pytest.raises(SettingsError, match=r"portal-listen .*\(role, config-listen, .*MUSTER_"):
        read_settings({"data": str(tmp_path)}, {})
