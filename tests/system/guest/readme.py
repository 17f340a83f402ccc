# SPDX-License-Identifier: Apache-2.0
"""The README's steps from the packages to the first isolated program, on a machine on which CMK is
not installed. They are typed at a terminal, where apt and cmkctl ask."""

import os
import pty
import re
import select
import subprocess
import tempfile
import time
from pathlib import Path

import machine
from cmk import PAYLOAD, leases, pools
from framework import Skip, deadline
from machine import check, cpus_of, eventually, has, same
from manual import forget_cmk
from operator_manual import blocks

TEXT = (PAYLOAD / "README.md").read_text()
SUDO = 'sudo() { "$@"; }\n'  # root has no need of it
SERVER = '#!/bin/sh\necho "serving $*"\ngrep Cpus_allowed_list /proc/self/status >allowed\n'
QUESTION = re.compile(rb"\[[yY]/[nN]\] ?$")
PATIENCE = 300  # seconds


def commands() -> str:
    """Those of the section, but for the two that make the packages."""
    section = TEXT.partition("\n## Install\n")[2].partition("\n## ")[0]
    lines = [line for block in blocks(section) for line in block.text.splitlines()]
    left = [line for line in lines if "packaging/" not in line]
    same(len(lines) - len(left), 2, f"commands that make the packages, of {lines}")
    return "\n".join(left)


def type_in(script: str, directory: Path) -> tuple[int, str]:
    """Exit status and what the terminal shows; every question is answered with y."""
    (directory / "script").write_text(script)
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "-e", "script"], cwd=directory, env=os.environ | {"TERM": "dumb"},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        shown = watch(ours)
        return shell.wait(PATIENCE), shown
    finally:
        shell.kill()
        os.close(ours)


def watch(terminal: int) -> str:
    """What it shows until nobody writes to it any more."""
    shown, end = b"", time.monotonic() + PATIENCE
    while select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0]:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # EIO: its last user is gone
            return shown.decode(errors="replace")
        if QUESTION.search(shown):
            os.write(terminal, b"y\n")
    raise TimeoutError(f"not done after {PATIENCE} s: {shown.decode(errors='replace')}")


@deadline(2 * PATIENCE)
def test_a_new_user_installs_and_isolates() -> None:
    if machine.boot_isolated():
        raise Skip("its pools are of cores that are not isolated at boot")
    forget_cmk()
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        (directory / "dist").symlink_to(PAYLOAD / "packages")
        (directory / "server").write_text(SERVER)
        (directory / "server").chmod(0o755)
        code, shown = type_in(SUDO + commands(), directory)
        same(code, 0, f"exit status ({shown})")
        has(shown, "Apply? [y/N]", "serving --port 80")
        found = pools()
        same((found["exclusive"]["cores"], found["shared"]["cores"]), (2, 1), "cores of the pools")
        ran = cpus_of((directory / "allowed").read_text().split()[1])
        check(ran and ran < cpus_of(found["exclusive"]["cpus"]), f"it ran on {ran} of {found}")
    has(shown, "exclusive", "infra", "cmk-agent ")  # the picture
    eventually(lambda: not leases(), "its lease ends")
