# SPDX-License-Identifier: Apache-2.0
"""Runs test functions one after the other and reports them line by line to the host.

A test is a function test_NAME of a module in this directory; its name is MODULE.NAME. It fails by
an exception, is skipped by Skip, and has a deadline. Lines to the host:

    running NAME                  begins; what the host counts if the machine dies
    ok NAME (1.2 s)
    FAILED NAME (1.2 s)           followed by indented lines that say why
    skipped NAME: REASON
    later NAME: LINE              the host decides: was LINE on the console at power off?
    N passed, N failed, N skipped     the last line
"""

import fnmatch
import importlib
import os
import signal
import time
import traceback
from pathlib import Path
from types import FrameType, ModuleType
from typing import Callable

PORT = Path("/dev/virtio-ports/cmk.results")
DEADLINE = 300  # seconds for one test

Test = Callable[[], None]


class Skip(Exception):
    """This machine lacks what the test is about; the text says what."""


class Later(Exception):
    """The test passes if this text is on the console when the machine is off."""


class OutOfTime(Exception):
    pass


def deadline(seconds: int) -> Callable[[Test], Test]:
    """Decorator: gives a test more time than others."""

    def mark(test: Test) -> Test:
        setattr(test, "deadline", seconds)
        return test

    return mark


def tests_of(module: ModuleType) -> list[Test]:
    """In the order of the file."""
    return [each for name, each in vars(module).items() if name.startswith("test_")]


def name_of(test: Test) -> str:
    return f"{test.__module__}.{test.__name__.removeprefix('test_')}"


class Port:
    """Lines to the host. The host always reads, so a write waits at most for a slow machine."""

    def __init__(self) -> None:
        end = time.monotonic() + 60
        while not PORT.exists() and time.monotonic() < end:
            time.sleep(0.2)  # udev has no event to wait for that would be simpler
        self.fd = os.open(PORT, os.O_WRONLY | os.O_CLOEXEC)

    def line(self, text: str) -> None:
        data = (text + "\n").encode(errors="replace")
        while data:
            data = data[os.write(self.fd, data) :]


class Runner:
    """`explain` adds to a failure what the machine knows; `tidy` runs after every test."""

    def __init__(
        self, port: Port, only: str, explain: Callable[[], str], tidy: Callable[[], None]
    ) -> None:
        self.port = port
        self.only = only
        self.explain = explain
        self.tidy = tidy
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}

    def wanted(self, test: Test) -> bool:
        patterns = self.only.split(",")
        return not self.only or any(fnmatch.fnmatch(name_of(test), each) for each in patterns)

    def run_module(self, name: str) -> None:
        try:
            tests = tests_of(importlib.import_module(name))
        except Exception as problem:  # a broken module shall not take the others with it
            self.port.line(f"running {name}")
            self.fail(name, 0, story_of(problem))
            return
        for test in tests:
            if self.wanted(test):
                self.run(test)

    def run(self, test: Test) -> None:
        name = name_of(test)
        self.port.line(f"running {name}")
        begin = time.monotonic()
        trouble = skipped = ""
        try:
            with_deadline(test, getattr(test, "deadline", DEADLINE))
        except Later as wanted:
            self.port.line(f"later {name}: {wanted}")
            return  # not tidied: the test is about what it left running
        except Skip as reason:
            skipped = str(reason)
        except Exception as problem:
            trouble = story_of(problem) + self.explained()
        try:
            with_deadline(self.tidy, DEADLINE)
        except Exception as problem:
            trouble += "\nand cleaning up after it failed: " + story_of(problem)
        seconds = time.monotonic() - begin
        if trouble:
            self.fail(name, seconds, trouble)
        elif skipped:
            self.counts["skipped"] += 1
            self.port.line(f"skipped {name}: {skipped}")
        else:
            self.counts["passed"] += 1
            self.port.line(f"ok {name} ({seconds:.1f} s)")

    def explained(self) -> str:
        try:
            return "\n" + self.explain()
        except Exception as problem:
            return "\nno more is known: " + story_of(problem)

    def fail(self, name: str, seconds: float, trouble: str) -> None:
        self.counts["failed"] += 1
        self.port.line(f"FAILED {name} ({seconds:.1f} s)")
        self.note(trouble)

    def note(self, text: str) -> None:
        """Belongs to the line before it."""
        for line in text.splitlines():
            self.port.line("    " + line)

    def finish(self) -> None:
        counts = self.counts
        self.port.line(
            f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"
        )


def story_of(problem: Exception) -> str:
    """What went wrong, and the lines of the test that led there."""
    frames = traceback.extract_tb(problem.__traceback__)
    lines = [f"{type(problem).__name__}: {problem}"]
    lines += [
        f"at {os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}"
        for frame in frames
        if not frame.filename.endswith("framework.py")
    ]
    return "\n".join(lines)


def with_deadline(call: Callable[[], None], seconds: int) -> None:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTime(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(seconds)
    try:
        call()
    finally:
        signal.alarm(0)
