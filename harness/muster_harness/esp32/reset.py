# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The reasons why a board starts, and the output of its ROM for each."""

from enum import Enum


class Reset(Enum):
    """machine.reset_cause() on the board, and the ROM's code and name for it."""

    # On an ESP32 the EN button is a power-on too: RTC memory and clock are lost.
    POWER_ON = (1, 0x1, "POWERON_RESET")
    # An ESP32 tells it from a power-on in the banner only. RTC memory may last, and here it does.
    BROWN_OUT = (1, 0xF, "RTCWDT_BROWN_OUT_RESET")
    HARD = (2, 0xC, "SW_CPU_RESET")
    WATCHDOG = (3, 0xC, "SW_CPU_RESET")
    DEEP_SLEEP = (4, 0x5, "DEEPSLEEP_RESET")
    SOFT = (5, 0, "")

    @property
    def cause(self) -> int:
        return self.value[0]

    @property
    def banner(self) -> bytes:
        """The output of the ROM and the second-stage loader; none after a soft reset."""
        _, code, name = self.value
        if not name:
            return b""
        return (
            "ets Jul 29 2019 12:21:46\r\n\r\n"
            f"rst:{code:#x} ({name}),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
            "configsip: 0, SPIWP:0xee\r\n"
            "clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00\r\n"
            "mode:DIO, clock div:2\r\n"
            "load:0x3fff0030,len:4892\r\n"
            "load:0x40078000,len:14896\r\n"
            "load:0x40080400,len:4\r\n"
            "load:0x40080404,len:3372\r\n"
            "entry 0x400805b0\r\n"
        ).encode()


BROWN_OUT = b"\r\nBrownout detector was triggered\r\n\r\n"
SOFT_REBOOT = b"MPY: soft reboot\r\n"


def watchdog_panic(uptime_ms: int) -> bytes:
    """Return the output of ESP-IDF's task watchdog before it restarts the chip."""
    tag = f"E ({uptime_ms}) task_wdt:"
    return (
        f"{tag} Task watchdog got triggered. "
        "The following tasks/users did not reset the watchdog in time:\r\n"
        f"{tag}  - mpy_machine_wdt\r\n"
        f"{tag} Tasks currently running:\r\n"
        f"{tag} CPU 0: IDLE0\r\n"
        f"{tag} CPU 1: mp_task\r\n"
        f"{tag} Aborting.\r\n\r\n"
        "Rebooting...\r\n"
    ).encode()


def crash_panic(signal_number: int) -> bytes:
    """Return the output that stands for a crash of the interpreter itself."""
    return (
        f"Guru Meditation Error: Core  1 panic'ed (host signal {signal_number}).\r\n"
        "Rebooting...\r\n"
    ).encode()
