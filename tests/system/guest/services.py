# SPDX-License-Identifier: Apache-2.0
"""systemd services that isolate themselves stay in their units."""

from pathlib import Path

import machine
from cmk import (
    AGENT,
    cmkctl,
    lease_is_gone,
    leases,
    must_have_partitions,
    pool_cpus,
    pools,
    serve,
    verify,
)
from machine import (
    CGROUP,
    allowed,
    check,
    effective,
    eventually,
    has,
    has_remote_partitions,
    main_pid,
    must,
    partition,
    read,
    run,
    same,
)

NAME = "cmk-test.service"
UNIT = Path("/run/systemd/system", NAME)
GROUP = f"system.slice/{NAME}"


def start(*settings: str) -> None:
    lines = "\n".join(settings)
    command = "cmkctl isolate --pool exclusive -- sleep 1000"
    UNIT.write_text(f"[Service]\nExecStart=/usr/bin/{command}\n{lines}\n")
    must("systemctl", "daemon-reload")
    must("systemctl", "start", NAME)
    eventually(lambda: leases(), lambda: f"its lease: {machine.journal(NAME)}")


def stop() -> None:
    run("systemctl", "stop", NAME)
    run("systemctl", "reset-failed", NAME)
    UNIT.unlink(missing_ok=True)
    run("systemctl", "daemon-reload")


def lease() -> dict[str, object]:
    found = list(leases().values())
    same(len(found), 1, f"number of leases ({found})")
    return found[0]


def must_be_held() -> None:
    held = lease()
    cpus = machine.cpus_of(str(held["cpus"]))
    pid = main_pid(NAME)
    same(held["pid"], pid, "the unit's main process has it")
    same(held["place"], "unit", "place")
    same(machine.group_of(pid), GROUP, "its cgroup")
    same(allowed(pid), cpus, "where it may run")
    same(effective(GROUP), cpus, "effective CPUs")
    same(held["grade"], "B" if has_remote_partitions() else "C", "grade")
    check(verify(str(held["id"]))["passed"], "verify")
    if has_remote_partitions():
        same(partition(GROUP), "isolated" if machine.boot_isolated() else "root", "partition")
        check(not effective("") & cpus, "/ has none of its CPUs")
        check(not effective("system.slice") & cpus, "other services have none of its CPUs")
    has(run("systemctl", "status", NAME).out, "active (running)", str(pid))


def must_be_gone() -> None:
    eventually(lambda: not leases(), "the lease ends")
    claim = CGROUP / "system.slice/cpuset.cpus.exclusive"
    check(not claim.exists() or not read(claim), "no claim is left at system.slice")
    same(pools()["exclusive"]["free_cores"], pools()["exclusive"]["cores"], "free cores")
    if has_remote_partitions():
        same(effective("cmk.slice/cmk-leases.service/exclusive"), pool_cpus(), "the pool's CPUs")


def test_a_service_is_held_in_its_unit() -> None:
    serve()
    for settings in ((), ("Delegate=yes",), ("MemoryMax=64M", "Nice=5")):
        try:
            start(*settings)
            must_be_held()
            must("systemctl", "daemon-reload")
            must_be_held()
            must("systemctl", "stop", NAME)
            must_be_gone()
        finally:
            stop()


def test_it_can_be_restarted() -> None:
    serve()
    try:
        start()
        first = str(lease()["id"])
        must("systemctl", "restart", NAME)
        lease_is_gone(first)
        eventually(lambda: leases(), "the next lease")
        must_be_held()
    finally:
        stop()
    must_be_gone()


def test_one_that_is_killed_comes_back_by_itself() -> None:
    serve()
    try:
        start("Restart=always", "RestartSec=100ms")
        first = str(lease()["id"])
        must("systemctl", "kill", "--signal=KILL", NAME)
        lease_is_gone(first)
        eventually(lambda: leases(), lambda: f"the next lease: {machine.journal(NAME)}")
        must_be_held()
    finally:
        stop()
    must_be_gone()


def test_the_agent_restarts_beside_it() -> None:
    serve()
    try:
        start()
        must("systemctl", "restart", AGENT)
        must_be_held()
        must("systemctl", "kill", "--signal=KILL", AGENT)
        eventually(lambda: cmkctl("pools").code == 0, "the agent is back")
        must_be_held()
    finally:
        stop()
    must_be_gone()


def test_release_lets_it_run_on_everywhere() -> None:
    serve()
    try:
        start()
        must("cmkctl", "release", str(lease()["id"]))
        pid = main_pid(NAME)
        check(pid > 0, "it runs on")
        eventually(lambda: allowed(pid) >= machine.online() - pool_cpus(), "everybody's CPUs")
    finally:
        stop()
    must_be_gone()


def test_a_unit_beside_it_breaks_its_partition_and_it_is_mended() -> None:
    """Direct siblings with some of its CPUs in AllowedCPUs= are the one thing that can."""
    must_have_partitions()
    other = "cmk-test-rival"
    try:
        start()
        held = str(lease()["id"])
        must("systemd-run", "--unit", other, "-p", "AllowedCPUs=0-7", "sleep", "1000")
        eventually(lambda: leases()[held]["grade"] in ("C", "D"), "the grade drops")
        same(cmkctl("verify", held).code, 7, "verify tells of it")
        must("systemctl", "stop", other)
        eventually(lambda: leases()[held]["grade"] == "B", "it is mended", seconds=60)
        must_be_held()
    finally:
        run("systemctl", "stop", other)
        stop()
    must_be_gone()
