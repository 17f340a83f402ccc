# SPDX-License-Identifier: Apache-2.0
"""What CMK may leave on a machine, and what not: the state before it was installed."""

import functools
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from machine import cpus_of, cpuset_files, online

# Files that installing or removing any package may rewrite.
ANY_PACKAGE = ("/etc/ld.so.cache", "/etc/.pwd.lock")
# Made by the first call of podman, whoever makes it; newer ones have them in /run.
PODMAN = ("/etc/containers/networks/netavark.lock", "/etc/cni/net.d/cni.lock")
# Users and groups stay, as Debian wants it: files of theirs may still be there.
ACCOUNTS = tuple(f"/etc/{name}" for name in "passwd group shadow gshadow subuid subgid".split())
# Mounted into containers that run on: never made anew before the next boot.
KEPT = ("/run/cmk", "/run/cmk-observe", "/run/cmk-admin")


class Traces(NamedTuple):
    cpusets: dict[str, str]
    etc: dict[str, str]  # path -> content or link
    run: set[str]  # names in /run, one and two levels deep


def etc_files() -> dict[str, str]:
    found = {}
    for directory, _, names in os.walk("/etc"):
        for name in names:
            path = f"{directory}/{name}"
            if os.path.islink(path):
                found[path] = os.readlink(path)
            elif os.path.isfile(path):
                found[path] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return {path: what for path, what in found.items() if not is_expected(path)}


def is_expected(path: str) -> bool:
    return path.rstrip("-") in ACCOUNTS or path in ANY_PACKAGE + PODMAN


def file_names() -> set[str]:
    """Every file below /etc, /usr and /var but logs, caches and what dpkg keeps for itself."""
    pruned = ("/var/log", "/var/cache", "/var/tmp", "/var/backups", "/var/lib/dpkg", "/var/lib/apt")
    found = set()
    for top in ("/etc", "/usr", "/var"):
        for directory, names, files in os.walk(top):
            names[:] = [
                each
                for each in names
                if f"{directory}/{each}" not in pruned and each != "__pycache__"
            ]
            found |= {f"{directory}/{each}" for each in names + files}
    return {path for path in found if not is_expected(path)}


def run_names() -> set[str]:
    return {str(path) for depth in ("*", "*/*") for path in Path("/run").glob(depth)}


@functools.cache
def before_install() -> Traces:
    """As it was at the first call."""
    return Traces(cpuset_files(), etc_files(), run_names())


def means_the_same(path: str, old: str, new: str) -> bool:
    """A populated group's CPUs can be set to all but not unset again. The root group's list of
    isolated CPUs forgets those of the boot when a partition of theirs ends; they stay isolated."""
    if old == new or path == "cpuset.cpus.isolated":
        return True
    is_request = path.endswith("/cpuset.cpus")
    return is_request and (cpus_of(old) or online()) == (cpus_of(new) or online())


def differences_of_sets(old: set[str], new: set[str]) -> list[str]:
    return sorted(f"+{each}" for each in new - old) + sorted(f"-{each}" for each in old - new)


def differences(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Of groups that are there in both; units come and go."""
    return [
        f"{path}: {old[path]!r} became {new[path]!r}"
        for path in sorted(old.keys() & new.keys())
        if not means_the_same(path, old[path], new[path])
    ]
