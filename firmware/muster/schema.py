# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Typed fields of a JSON document; an error names the path of what is wrong.

import binascii

from .errors import DeviceError

_REQUIRED = object()
_TOLD = 1 << 60  # a number beyond is not repeated: it may have thousands of digits
_NAMES = {
    str: "a string",
    int: "an integer",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    float: "a number",
    type(None): "null",
}


# Takes an object's fields one by one. path is where the object stands, e.g. "config.platform".
# Raises DeviceError config_invalid if it is no object.
class Fields:
    def __init__(self, document, path=""):
        if not isinstance(document, dict):
            raise invalid(path, "wanted an object, got %s" % _kind(document))
        self.document = document
        self.path = path

    # Returns the value of the field if it is of the wanted type and within its bounds: for a
    # string and a list the length, for an integer the value. A default makes the field optional; a
    # nullable one must be there, but may be null. Raises DeviceError config_invalid.
    def take(self, name, kind, low=None, high=None, default=_REQUIRED, nullable=False):
        value = self.document.get(name, default)
        if value is _REQUIRED:
            raise self.invalid(name, "missing")
        if value is default or (nullable and value is None):
            return value
        if type(value) is not kind:
            raise self.invalid(name, "wanted %s, got %s" % (_NAMES[kind], _kind(value)))
        size = value if kind is int else len(value) if low is not None or high is not None else 0
        if low is not None and size < low:
            got = size if size > -_TOLD else "far less"
            raise self.invalid(name, "at least %d wanted, got %s" % (low, got))
        if high is not None and size > high:
            got = size if size < _TOLD else "far more"
            raise self.invalid(name, "at most %d wanted, got %s" % (high, got))
        return value

    # Returns the bytes of a base64 text. Raises DeviceError config_invalid.
    def base64(self, name):
        text = self.take(name, str)
        try:
            raw = binascii.a2b_base64(text)
        except ValueError:
            raise self.invalid(name, "not base64")
        # MicroPython's decoder is lenient: encode again and compare.
        if binascii.b2a_base64(raw)[:-1].decode() != text:
            raise self.invalid(name, "not canonical base64")
        return raw

    # Returns an object inside this one.
    def fields(self, name):
        return Fields(self.document.get(name), self._at(name))

    def invalid(self, name, text):
        return invalid(self._at(name), text)

    def _at(self, name):
        return "%s.%s" % (self.path, name) if self.path else name


# Makes the DeviceError of a wrong field. text never repeats a value: it may be a secret.
def invalid(path, text):
    return DeviceError("config_invalid", "%s: %s" % (path, text) if path else text)


def _kind(value):
    return _NAMES.get(type(value), "something else")
