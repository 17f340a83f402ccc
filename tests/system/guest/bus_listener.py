# SPDX-License-Identifier: Apache-2.0
"""Signals of the agent on the system bus, heard by a process of its own."""

import json
from pathlib import Path
from typing import Any

from cmk import Program
from machine import same

CLIENT = str(Path(__file__).with_name("bus_client.py"))


class Listener(Program):
    """`seen` are the signals up to now: [name, argument...]."""

    def __init__(self) -> None:
        super().__init__(CLIENT, "listen")
        self.seen: list[list[Any]] = []
        same(json.loads(self.line()), ["listening"], "its first word")

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def until(self, *start: str) -> list[Any]:
        """Waits for the first signal that begins so, and returns it."""
        while True:
            try:
                event: list[Any] = json.loads(self.line())
            except TimeoutError:
                raise AssertionError(f"no signal {start}; seen: {self.seen}") from None
            self.seen.append(event)
            if event[: len(start)] == list(start):
                return event
