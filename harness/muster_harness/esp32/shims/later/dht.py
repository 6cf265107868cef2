# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# dht, which an ESP32's firmware contains: sensors of temperature and humidity on one wire.

from machine import dht_readinto


class DHTBase:
    def __init__(self, pin):
        self.pin = pin
        self.buf = bytearray(5)

    def measure(self):
        dht_readinto(self.pin, self.buf)
        if sum(self.buf[:4]) & 0xFF != self.buf[4]:
            raise Exception("checksum error")


class DHT11(DHTBase):
    def humidity(self):
        return self.buf[0]

    def temperature(self):
        return self.buf[2]


class DHT22(DHTBase):
    def humidity(self):
        return (self.buf[0] << 8 | self.buf[1]) * 0.1

    def temperature(self):
        tenths = ((self.buf[2] & 0x7F) << 8 | self.buf[3]) * 0.1
        return -tenths if self.buf[2] & 0x80 else tenths
