# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The differences between MicroPython's chips.

Sources: ports/esp32 at 1c3c201149 (modmachine.c for frequencies, modesp32.h for pins that wake,
modesp32.c; machine_adc.c, machine_dac.c and machine_touchpad.c for pins;
machine_sdcard.c, adc.c) and ESP-IDF's soc_caps.h
of each chip (timers, LEDC channels, I2C, UARTs, PCNT, EXT0 and EXT1).
"""

from dataclasses import dataclass

_ALL_MHZ = (20, 40, 80, 160, 240)
_S_TOUCH = frozenset(range(1, 15))
_S_ADC = frozenset(range(1, 21))
_S_BLOCKS = (tuple(range(1, 11)), tuple(range(11, 21)))
_ESP32_WAKES = frozenset({0, 2, 4, 12, 13, 14, 15, 25, 26, 27, *range(32, 40)})


@dataclass(frozen=True)
class Chip:
    """The abilities of one chip; the defaults are an ESP32's."""

    name: str  # e.g. "esp32c3"
    timers: int = 4  # hardware ones
    pwm_channels: int = 16
    frequencies_mhz: tuple[int, ...] = _ALL_MHZ
    i2c_buses: int = 2
    spi_buses: int = 2  # numbered from 1
    uarts: int = 3
    adc_pins: frozenset[int] = frozenset({0, 2, 4, *range(12, 16), *range(25, 28), *range(32, 40)})
    wake_pins: frozenset[int] = _ESP32_WAKES  # RTC_VALID_EXT_PINS
    has_ext0: bool = True
    has_ext1: bool = True
    dac_pins: frozenset[int] = frozenset()
    touch_pins: frozenset[int] = frozenset()
    pcnt_units: int = 4
    i2s: int = 1
    sd_slots: tuple[int, int] = (2, 2)  # the first and the last; 0 and 1 are of the SD host
    adc_blocks: tuple[tuple[int, ...], ...] = (tuple(range(5)), (5,))  # pins by channel
    deep_sleep_gpios: frozenset[int] = frozenset()  # SOC_GPIO_DEEP_SLEEP_WAKE_VALID_GPIO_MASK


_KNOWN = (
    Chip(
        "esp32",
        dac_pins=frozenset({25, 26}),
        touch_pins=frozenset({0, 2, 4, 12, 13, 14, 15, 27, 32, 33}),
        pcnt_units=8,
        i2s=2,
        sd_slots=(0, 3),
        adc_blocks=((36, 37, 38, 39, 32, 33, 34, 35), (4, 0, 2, 15, 13, 12, 14, 27, 25, 26)),
    ),
    Chip(
        "esp32s2",
        pwm_channels=8,
        uarts=2,
        adc_pins=_S_ADC,
        wake_pins=frozenset(range(22)),
        dac_pins=frozenset({17, 18}),
        touch_pins=_S_TOUCH,
        adc_blocks=_S_BLOCKS,
    ),
    Chip(
        "esp32s3",
        pwm_channels=8,
        adc_pins=_S_ADC,
        wake_pins=frozenset(range(22)),
        touch_pins=_S_TOUCH,
        i2s=2,
        sd_slots=(0, 3),
        adc_blocks=_S_BLOCKS,
    ),
    Chip(
        "esp32c3",
        timers=2,
        pwm_channels=6,
        frequencies_mhz=_ALL_MHZ[:-1],
        i2c_buses=1,
        spi_buses=1,
        uarts=2,
        adc_pins=frozenset(range(6)),
        has_ext0=False,
        has_ext1=False,
        pcnt_units=0,
        deep_sleep_gpios=frozenset(range(6)),
    ),
    Chip(
        "esp32c6",
        timers=2,
        pwm_channels=6,
        frequencies_mhz=_ALL_MHZ[:-1],
        i2c_buses=1,
        spi_buses=1,
        uarts=2,
        adc_pins=frozenset(range(7)),
        adc_blocks=(tuple(range(7)),),
        wake_pins=frozenset(range(8)),
        has_ext0=False,
        deep_sleep_gpios=frozenset(range(8)),
    ),
)


def chip(name: str) -> Chip:
    """Return the chip of a board file's `mcu`; an unknown one is taken for an ESP32."""
    return next((known for known in _KNOWN if known.name == name), Chip(name))
