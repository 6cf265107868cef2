# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The shims carry the names and numbers that micropython-esp32-stubs give an ESP32."""

import ast
from pathlib import Path

import pytest

from harness.repl import REPL

STUBS = Path(__file__).parents[2] / ".venv" / "micropython-stubs"
# What an ESP32 has and the emulated board does not have yet: bus and analogue peripherals, ULP,
# RMT, counters, and Wi-Fi's neighbours.
NOT_EMULATED = {
    "machine": """ADC ADCBlock Counter DAC Encoder I2C I2CTarget I2S PWM SDCard SPI SoftI2C SoftSPI
        TouchPad UART USBDevice bitstream bootloader dht_readinto mem_backup time_pulse_us
        CAN PinBase wake_pins""",
    "network": "LAN PPP PHY_* ETH_* WLAN.* PPP.* LAN.*",
    "esp32": """PCNT RMT ULP copy gpio_deep_sleep_hold hall_sensor idf_task_info mcu_temperature
        wake_on_* Wakeup* DEEPSLEEP_* wake_on_gpio wake_on_touch wake_on_ulp""",
    "esp": "*",
    "socket": "SO_KEEPALIVE SO_LINGER SO_ERROR *",
    "time": "",
    "errno": "",
    "select": "",
}


def integer_constants(module: str) -> dict[str, int]:
    """`NAME: Final[int] = 7` of a stub, also in classes ("Pin.IN")."""
    found: dict[str, int] = {}

    def visit(nodes: list[ast.stmt], prefix: str) -> None:
        for node in nodes:
            if isinstance(node, ast.ClassDef) and not prefix:
                visit(node.body, f"{node.name}.")
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                value = node.value
                if isinstance(value, ast.Constant) and isinstance(value.value, int):
                    found[prefix + node.target.id] = value.value

    visit(ast.parse((STUBS / f"{module}.pyi").read_text()).body, "")
    return found


@pytest.mark.parametrize(
    "module", ["errno", "esp32", "machine", "network", "select", "socket", "time"]
)
def test_constants_have_the_stubs_values(repl: REPL, module: str) -> None:
    repl.exec(f"import {module}")
    wrong = {}
    for name, value in integer_constants(module).items():
        here = repl.eval(
            f"(lambda o, *n: [o := getattr(o, i, None) for i in n][-1])"
            f"({module}, *{name.split('.')!r})"
        )
        if here is not None and here != value:
            wrong[name] = (here, value)
    assert wrong == {}
