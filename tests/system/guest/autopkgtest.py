# SPDX-License-Identifier: Apache-2.0
"""The tests that come with the Debian packages (packaging/debian/tests), which want a machine of
their own. Run as autopkgtest would, each on installed packages."""

import os
import tempfile
from pathlib import Path

from cmk import PAYLOAD, install, is_installed
from framework import deadline
from machine import check, run, same

TESTS = PAYLOAD / "debian-tests"


def declared() -> list[str]:
    """What their control file says there is."""
    lines = (TESTS / "control").read_text().splitlines()
    names = [line.partition(":")[2] for line in lines if line.startswith("Tests:")]
    return [name for each in names for name in each.replace(",", " ").split()]


def run_test(name: str) -> None:
    install()  # all of them, whatever is there
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["AUTOPKGTEST_TMP"] = scratch
        done = run(TESTS / name, seconds=500)
    same(done.code, 0, f"exit status ({done.text()})")


def test_every_declared_test_is_run_here() -> None:
    same(declared(), ["isolate", "purge"], "tests in the control file")


@deadline(600)
def test_isolate() -> None:
    run_test("isolate")


@deadline(600)
def test_purge() -> None:
    run_test("purge")
    check(not is_installed(), "nothing is installed")
