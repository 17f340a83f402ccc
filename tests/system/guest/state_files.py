# SPDX-License-Identifier: Apache-2.0
"""The agent's state files as another version would have written them."""

import json
from pathlib import Path
from typing import Any

from cmk import STATE


def checksum(text: bytes) -> str:
    """64-bit FNV-1a."""
    value = 0xCBF29CE484222325
    for byte in text:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def with_additions(value: Any, version: int) -> Any:
    """The first format has no member of this name; later ones have it in every object."""
    if isinstance(value, list):
        return [with_additions(each, version) for each in value]
    if not isinstance(value, dict):
        return value
    members = {key: with_additions(each, version) for key, each in value.items()}
    members.pop("added_later", None)
    return members if version == 1 else members | {"added_later": [version]}


def rewrite(version: int) -> None:
    """Every lease and the pools in that format. While no agent runs."""
    for path in (*STATE.glob("*.lease"), STATE / "pools"):
        head, body = path.read_bytes().split(b"\n")[:2]
        kind = head.split()[0].decode()
        text = json.dumps(with_additions(json.loads(body), version)).encode()
        path.write_bytes(f"{kind} {version} {checksum(text)}\n".encode() + text + b"\n")


def names() -> list[str]:
    return sorted(path.name for path in STATE.iterdir())


def set_aside() -> list[str]:
    """What an agent could not read."""
    return [name for name in names() if name.endswith(".bad")]
