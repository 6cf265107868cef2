# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The shims carry the names and numbers that micropython-esp32-stubs give an ESP32."""

import ast
from pathlib import Path

import pytest

from harness.repl import REPL

STUBS = Path(__file__).parents[2] / ".venv" / "micropython-stubs"
# What an ESP32 has and the emulated board has not: buses and analogue peripherals, ULP, RMT,
# counters, Wi-Fi's neighbours.
NOT_EMULATED = {
    "machine": """ADC ADCBlock CAN Counter DAC Encoder I2C I2CTarget I2S PCNT SDCard SPI
        SoftI2C SoftSPI TouchPad UART USBDevice bootloader dht_readinto
        PinBase""",
    "network": "LAN PPP route",
    "esp32": """PCNT RMT ULP copy gpio_deep_sleep_hold hall_sensor idf_task_info
        mcu_temperature wake_on_touch wake_on_ulp""",
    "esp": """apa102_write check_fw deepsleep dht_readinto esf_free_bufs flash_erase flash_id
        flash_read flash_write free_mem freemem gpio_matrix_in gpio_matrix_out info malloc
        meminfo neopixel_write set_native_code_location sleep_type""",
    "socket": "",
    "time": "",
    "errno": "",
    "select": "",
    "tls": "",
}
# in the stubs only: other ports' classes and typing aids
NOT_REAL = {"ADCWiPy", "AbstractNIC", "WLANWiPy", "const"}


def stub(module: str) -> list[ast.stmt]:
    path = STUBS / f"{module}.pyi"
    if not path.exists():
        path = STUBS / "stdlib" / f"{module}.pyi"
    return ast.parse(path.read_text()).body


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

    visit(stub(module), "")
    return found


def callables(module: str) -> set[str]:
    """Public functions and classes of a stub."""
    return {
        node.name
        for node in stub(module)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }


@pytest.mark.parametrize("module", NOT_EMULATED)
def test_constants_have_the_stubs_values(repl: REPL, module: str) -> None:
    repl.exec(f"import {module}")
    repl.exec("def get(o, *names):\n    for n in names: o = getattr(o, n, None)\n    return o")
    wrong = {}
    for name, value in integer_constants(module).items():
        here = repl.eval(f"get({module}, *{name.split('.')!r})")
        if here is not None and here != value:
            wrong[name] = (here, value)
    assert wrong == {}


@pytest.mark.parametrize("module", NOT_EMULATED)
def test_what_is_missing_is_known(repl: REPL, module: str) -> None:
    repl.exec(f"import {module}")
    missing = {n for n in callables(module) if not repl.eval(f"hasattr({module}, {n!r})")}
    assert missing - NOT_REAL - set(NOT_EMULATED[module].split()) == set()
