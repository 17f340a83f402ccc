# SPDX-License-Identifier: Apache-2.0
"""Taking the packages off again, under a running program, and what is left then."""

import os
from pathlib import Path

import machine
from cmk import (
    AGENT,
    BUS,
    TEST_CONFIG,
    Held,
    Program,
    has_partition,
    hold_by_partition,
    init,
    leases,
    must_hold,
    package_names,
    serve,
)
from framework import deadline
from machine import (
    CGROUP,
    allowed,
    boot_isolated,
    check,
    cpuset_files,
    effective,
    eventually,
    is_running,
    must,
    online,
    run,
    same,
    unit,
)
from traces import KEPT, before_install, differences, etc_files, run_names

APT = ("apt-get", "-y", "-q")


def free_system_slice() -> None:
    """Undoes what the tests asked for; a populated slice's CPUs can only be set to all."""
    must("systemctl", "set-property", "--runtime", "system.slice", "AllowedCPUs=0-7")


@deadline(600)
def test_removing_lets_programs_run_on_anywhere() -> None:
    hold_by_partition()
    held = Held()
    here = machine.group_of(os.getpid())
    check(has_partition(), "the pool is a partition")
    must(*APT, "remove", *package_names(), seconds=300)
    check(is_running(held.pid), "the program runs on")
    same(machine.group_of(held.pid), here, "its cgroup")
    free_system_slice()
    same(allowed(held.pid), online() - boot_isolated(), "where it may run")
    same(effective(""), online(), "CPUs of everybody")
    for group in CGROUP.glob("cmk*/**/"):
        partition = group / "cpuset.cpus.partition"
        if partition.exists():
            same(machine.read(partition), "member", str(partition))
    same(run("pgrep", "-l", "cmk").out, "", "processes of CMK")
    check(BUS[0] not in must("busctl", "--system", "list", "--acquired"), "the bus name is free")
    same(held.end(), 0, "the program's exit status")


def cpus_in_domains() -> set[int]:
    """CPUs between which the scheduler balances load, by /proc/schedstat."""
    found, cpu = set(), -1
    for line in machine.read("/proc/schedstat").splitlines():
        word = line.split()[0]
        if word.startswith("cpu"):
            cpu = int(word.removeprefix("cpu"))
        elif word.startswith("domain"):
            found.add(cpu)
    return found


@deadline(600)
def test_purging_leaves_the_machine_as_it_was() -> None:
    before = before_install()
    free_system_slice()
    TEST_CONFIG.unlink(missing_ok=True)
    for program in list(Program.running):
        program.kill()
    # By dpkg: a package without configuration files is unknown by now, which apt takes for an error.
    must("dpkg", "--purge", *package_names(), seconds=300)
    eventually(lambda: not list(CGROUP.glob("cmk*")), "the cgroups are gone")
    same(cpus_in_domains(), online() - boot_isolated(), "CPUs in scheduling domains")
    same(differences(before.cpusets, cpuset_files()), [], "changed cpusets")
    same(effective(""), online(), "CPUs of everybody")
    changed = sorted(set(etc_files().items()) ^ set(before.etc.items()))
    same([path for path, _ in changed if "cmk-" not in Path(path).name], [], "changed in /etc")
    same([path for path, _ in changed if "cmk" in path], [], "left in /etc")
    left = [name for name in run_names() - before.run if "cmk" in name]
    same([name for name in left if not name.startswith(KEPT)], [], "left in /run")
    patterns = ("cmk-agent*", "cmk-leases*")
    same(run("systemctl", "list-unit-files", "--no-legend", *patterns).out, "", "units")
    same(unit(AGENT, "LoadState"), "not-found", AGENT)
    for name in package_names():
        state = run("dpkg-query", "-W", "-f", "${db:Status-Status}", name).out
        check(state in ("", "not-installed"), f"package {name} is {state}")


@deadline(600)
def test_it_can_be_installed_again() -> None:
    serve()
    init()
    held = Held()
    must_hold(held)
    same(held.end(), 0, "exit status")
    eventually(lambda: not leases(), "the lease ends")
