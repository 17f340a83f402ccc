# SPDX-License-Identifier: Apache-2.0
"""The packages alone, with no agent running: in, up, down, out, and in again, as piuparts does."""

from pathlib import Path

from cmk import package_files, package_names
from framework import deadline
from machine import must, run, same
from traces import KEPT, differences_of_sets, file_names, run_names

# The image leaves these out of every package.
EXCLUDED = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/")


def dpkg(action: str, *words: str | Path) -> None:
    must("dpkg", "--force-confdef", action, *words, seconds=300)


def must_verify() -> None:
    """Every file is as its package has it, and every package is configured."""
    done = run("dpkg", "--verify", *package_names())
    wrong = [line for line in done.text().splitlines() if not line.split()[-1].startswith(EXCLUDED)]
    same(wrong, [], "dpkg --verify")
    same(must("dpkg", "--audit"), "", "dpkg --audit")


def accounts() -> set[str]:
    return {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}


def must_be_gone(before: set[str]) -> None:
    same(differences_of_sets(before, file_names()), [], "files that came or went")
    left = [name for name in run_names() if "cmk" in name and not name.startswith(KEPT)]
    same([name for name in left if "cmk-tests" not in name], [], "left in /run")


@deadline(800)
def test_packages_leave_nothing_behind() -> None:
    dpkg("--purge", *package_names())
    before, users = file_names(), accounts()
    dpkg("--install", *package_files())
    must_verify()
    dpkg("--install", *package_files("upgrade"))
    must_verify()
    dpkg("--install", *package_files())  # which is the downgrade
    must_verify()
    dpkg("--remove", *package_names())
    dpkg("--install", *package_files())
    must_verify()
    dpkg("--remove", *package_names())
    dpkg("--purge", *package_names())
    must_be_gone(before)
    dpkg("--install", *package_files())
    dpkg("--purge", *package_names())  # at once
    must_be_gone(before)
    same(accounts(), users, "users")
