# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the platform of a valid configuration looks like to the device: a part of configuration.py,
# so that never all of it is in RAM with the configuration.


# Checks config["platform"], given as schema.Fields, but for its URL, which is an https one or not.
# Raises DeviceError config_invalid with the path of what is wrong.
def check(platform, is_secure):
    if platform.take("type", str) != "onem2m":
        raise platform.invalid("type", 'only "onem2m" is understood')
    platform.take("cse", str, 1, 128)
    if not platform.take("originator", str, 2, 64).startswith("C"):
        raise platform.invalid("originator", "wanted a C first")
    if platform.take("api", str, 2, 64)[:1] not in "NR":
        raise platform.invalid("api", "wanted N or R first")
    if platform.take("rvi", str) not in ("2a", "3", "4", "5"):
        raise platform.invalid("rvi", "wanted 2a, 3, 4 or 5")
    token = platform.take("token", str, 1, 256, nullable=True)
    has_ca = platform.take("ca", str, 1, nullable=True) is not None
    if has_ca:
        platform.base64("ca")
    for address in platform.take("acpi", list, 0, 4, default=()):
        if type(address) is not str or not 1 <= len(address) <= 128:
            raise platform.invalid("acpi", "wanted addresses of 1 to 128 characters")
    if platform.take("insecure", bool, default=False):
        return
    if token and not is_secure:
        raise platform.invalid("token", "a token must not travel over http")
    if is_secure and not has_ca:
        raise platform.invalid("ca", "https needs the certificate authority")
