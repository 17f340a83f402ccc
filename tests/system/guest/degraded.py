# SPDX-License-Identifier: Apache-2.0
"""Machines that lack what CMK would like to use: it serves with less, and says why."""

import machine
from cmk import AGENT, Held, cmkctl, data, init, install, leases, pools
from framework import Skip
from machine import allowed, check, has, is_active, journal, must, online, same


def serve_plainly() -> None:
    """As cmk.serve, for machines where the holder has nothing to hold."""
    if not is_active(AGENT):
        install()
        must("systemctl", "enable", "--now", AGENT)
    if "exclusive" not in pools():
        init()


def must_give(grade: str) -> Held:
    held = Held()
    same(leases()[held.lease]["grade"], grade, "grade")
    same(allowed(held.pid), held.cpus, "where it may run")
    has(must("cmkctl", "verify", held.lease), "to raise the grade", "cgroup v2")
    return held


def test_on_a_hybrid_hierarchy_leases_are_cpusets_of_the_old_kind() -> None:
    if "cgroup2" not in machine.read("/proc/mounts") or is_unified():
        raise Skip("the hierarchy is not hybrid")
    serve_plainly()
    has(data("status")["mechanism"], "v1")
    held = must_give("C")
    has(machine.read(f"/proc/{held.pid}/cgroup"), f"cpuset:/cmk-leases/exclusive/{held.lease}")
    same(held.end(), 0, "exit status")


def is_unified() -> bool:
    return (machine.CGROUP / "cgroup.controllers").exists()


def test_without_the_cpuset_controller_leases_are_by_affinity() -> None:
    if not is_unified() or "cpuset" in machine.read(machine.CGROUP / "cgroup.controllers").split():
        raise Skip("this machine has the cpuset controller")
    serve_plainly()
    has(journal(AGENT), "cpuset", "affinity")
    held = must_give("D")
    same(held.end(), 0, "exit status")


def test_a_lease_ends_and_leaves_nothing() -> None:
    serve_plainly()
    same(cmkctl("isolate", "--pool", "exclusive", "--wait", "--", "true").code, 0, "exit status")
    machine.eventually(lambda: not leases(), "all leases end")
    check(allowed(1) == online(), "process 1 may run anywhere")
