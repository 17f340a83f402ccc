# SPDX-License-Identifier: Apache-2.0
"""Others that write cpusets, a bad configuration, a full disk: said plainly, nothing half done."""

import contextlib
import os
from pathlib import Path
from typing import Iterator

from bus_listener import Listener
from cmk import (
    AGENT,
    STATE,
    TEST_CONFIG,
    TOP,
    Held,
    bus_call,
    cmkctl,
    has_partition,
    hold_by_partition,
    init,
    lease_groups,
    lease_is_gone,
    leases,
    must_have_partitions,
    must_hold,
    pool_cpus,
    pool_partition,
    pools,
    serve,
    write_pools,
)
from framework import Skip
from machine import (
    CGROUP,
    allowed,
    boot_isolated,
    cpus_of,
    check,
    effective,
    eventually,
    has,
    has_remote_partitions,
    is_active,
    journal,
    list_of,
    must,
    online,
    partition,
    run,
    same,
    write,
)
from restart import through


def allow(name: str, cpus: set[int]) -> None:
    """As an administrator gives a unit its CPUs."""
    must("systemctl", "set-property", "--runtime", name, f"AllowedCPUs={list_of(cpus)}")


def must_not_hold(held: Held) -> None:
    """The lease lost its partition, and everything that is asked says so."""
    done = cmkctl("verify", held.lease)
    same(done.code, 7, f"exit status of verify ({done.text()})")
    has(done.out, "partition", "failed")
    same(leases()[held.lease]["grade"], "C", "grade")
    has(cmkctl("status").text(), "partition")


# ---- a foreign partition in the way: first, since it needs slices that nobody has limited -------


def forget_local_partition() -> None:
    """Linux 6.1 cannot take back all CPUs from a slice in use, once it was given some."""
    if has_remote_partitions():
        return
    must("systemctl", "stop", "cmkpart.slice")
    must("systemctl", "set-property", "--runtime", "cmkpart.slice", "AllowedCPUs=")
    must("systemctl", "start", "cmk-leases-partition.service")


@contextlib.contextmanager
def foreign_partition(cpus: set[int]) -> Iterator[str]:
    """Another manager of CPUs, with a partition of its own at the top."""
    forget_local_partition()
    where = ("--unit=foreign.service", "--slice=foreign.slice")
    must("systemd-run", "--quiet", *where, "sleep", "infinity")
    allow("foreign.slice", cpus)
    kind = "isolated" if boot_isolated() else "root"  # nothing else is allowed with isolcpus=
    write(CGROUP / "foreign.slice/cpuset.cpus.partition", kind)
    try:
        if boot_isolated() and "housekeeping" in partition("foreign.slice"):
            raise Skip("this kernel makes no such partition of CPUs isolated at boot")
        same(partition("foreign.slice"), kind, "the foreign partition")
        yield "foreign.slice"
    finally:
        write(CGROUP / "foreign.slice/cpuset.cpus.partition", "member")
        must("systemctl", "stop", "foreign.service", "foreign.slice")


def test_a_foreign_partition_in_the_way_is_named() -> None:
    serve()
    wanted = pool_cpus()
    init(exclusive=1)
    held = Held()
    try:
        with foreign_partition(wanted - pool_cpus()) as foreign:
            counts = ("--num-exclusive-cores", "2", "--num-shared-cores", "0")
            done = cmkctl("init", *counts, "--yes")
            tried = cmkctl("isolate", "--pool", "exclusive", "--", "true")
            check(done.code != 0 or tried.code == 125, "a core of another partition was leased")
            has(done.text() + tried.text(), foreign)
            check("invalid" not in partition(foreign), "the foreign partition holds")
            must_hold(held)
            if done.code != 0:
                same(pools()["exclusive"]["cores"], 1, "cores of the pool")
    finally:
        init()
    must_hold(held)
    must_hold(Held())


# ---- CPUs given to others -----------------------------------------------------------------------


def test_a_sibling_in_our_own_tree_is_found_and_its_removal_mends() -> None:
    must_have_partitions()
    held = Held()
    sibling = CGROUP / TOP / "test-sibling"
    with Listener() as listener:
        sibling.mkdir()
        try:
            write(sibling / "cpuset.cpus", list_of(held.cpus))
            check("invalid" in partition(pool_partition()), "the kernel gave up the partition")
            eventually(lambda: lowest_grade_heard(listener) == "C", "the loss is an event")
            must_not_hold(held)
            has(cmkctl("verify", held.lease).text(), "test-sibling")
        finally:
            sibling.rmdir()
        must("cmkctl", "reconcile")
        must_hold(held)
        eventually(lambda: lowest_grade_heard(listener) == "B", "the repair is an event")


def lowest_grade_heard(listener: Listener) -> str:
    """The property as the last signal has it."""
    with contextlib.suppress(TimeoutError, AssertionError):
        listener.until("PropertiesChanged")
    grades = [
        event[2]["LowestGrade"]
        for event in listener.seen
        if event[0] == "PropertiesChanged" and "LowestGrade" in event[2]
    ]
    return grades[-1] if grades else ""


def test_all_cpus_for_system_slice_are_no_matter_without_a_local_partition() -> None:
    """Below Linux 6.7 the pool is a plain cpuset here, above a remote partition."""
    serve()
    held = Held()
    through(held, lambda: allow("system.slice", online()))
    if not has_remote_partitions():
        keep_off_pool()


def keep_off_pool() -> None:
    """What an administrator does for a local partition: its CPUs belong to no slice beside it."""
    allow("system.slice", online() - pool_cpus())


def test_all_cpus_for_system_slice_break_a_local_partition_and_it_is_mended() -> None:
    serve()
    if has_remote_partitions():
        raise Skip("partitions of this kernel do not depend on other slices")
    keep_off_pool()
    hold_by_partition()
    held = Held()
    with Listener() as listener:
        allow("system.slice", online())
        eventually(lambda: lowest_grade_heard(listener) == "C", "the loss is an event")
        must_not_hold(held)
        has(cmkctl("verify", held.lease).text(), "system.slice")
        keep_off_pool()
        must("cmkctl", "reconcile")
        must_hold(held)


def test_a_drop_in_for_another_slice() -> None:
    """Overlapping CPUs in a unit file: reported for a local partition, no matter to others."""
    serve()
    if not has_remote_partitions():
        keep_off_pool()
    hold_by_partition()
    held = Held()
    before = held.facts()
    directory = Path("/run/systemd/system/system.slice.d")
    directory.mkdir(parents=True, exist_ok=True)
    drop_in = directory / "90-tests.conf"
    drop_in.write_text(f"[Slice]\nAllowedCPUs={list_of(online())}\n")
    try:
        must("systemctl", "daemon-reload")
        if has_remote_partitions():
            same(held.facts(), before, "the lease")
        else:
            eventually(lambda: cmkctl("verify", held.lease).code == 7, "verify finds it")
            must_not_hold(held)
    finally:
        drop_in.unlink()
        must("systemctl", "daemon-reload")
        if not has_remote_partitions():
            keep_off_pool()
            must("cmkctl", "reconcile")
    must_hold(held)


def test_limits_on_our_own_slice_do_not_move_leases() -> None:
    must_have_partitions()
    held = Held()
    through(held, lambda: allow("cmk.slice", online() - pool_cpus()))
    allow("cmk.slice", online())


def test_a_lease_whose_cpuset_was_changed_is_mended() -> None:
    serve()
    held, other = Held(), Held()
    write(CGROUP / held.group() / "cpuset.cpus", list_of(other.cpus))
    done = cmkctl("verify", held.lease)
    same(done.code, 7, f"exit status of verify ({done.text()})")
    has(must("cmkctl", "reconcile"), held.lease)
    must_hold(held)
    must_hold(other)


def test_cpus_lost_by_a_stopped_slice_are_found_at_start() -> None:
    """Linux 6.1 loses the CPUs of a partition that is emptied, as systemd does to a slice."""
    serve()
    if has_remote_partitions():
        raise Skip("this kernel loses no CPUs that way")
    keep_off_pool()
    hold_by_partition()
    must("systemctl", "stop", AGENT)
    must("systemctl", "stop", pool_partition())
    must("systemctl", "start", AGENT)
    eventually(lambda: has_partition() or effective("") == online(), "all CPUs are somebody's")
    taken = effective(pool_partition()) if has_partition() else set()
    same(effective("") | taken, online(), "CPUs of everybody and of the partition")
    must_hold(Held())


# ---- CPUs that come and go ----------------------------------------------------------------------


@contextlib.contextmanager
def offline_cpu(cpu: int) -> Iterator[None]:
    switch = Path(f"/sys/devices/system/cpu/cpu{cpu}/online")
    write(switch, "0")
    try:
        yield
    finally:
        write(switch, "1")


def test_a_cpu_that_goes_and_comes_back_leaves_the_lease_whole() -> None:
    hold_by_partition()
    first, second = Held(), Held()
    cpu = max(first.cpus | second.cpus)
    hit, other = (first, second) if cpu in first.cpus else (second, first)
    before = hit.facts()
    with offline_cpu(cpu):
        same(allowed(hit.pid), hit.cpus - {cpu}, "where it may run meanwhile")
        eventually(lambda: cmkctl("verify", hit.lease).code == 7, "verify tells of it")
        must_hold(other)
        check(is_active(AGENT), "the agent serves")
    eventually(lambda: cmkctl("verify", hit.lease).code == 0, "the lease is whole again")
    same(hit.facts(), before, "the lease")
    must_hold(hit)
    must_hold(other)


def test_a_lease_without_any_cpu_gets_other_cores() -> None:
    """And everybody else's lease is untouched: the kernel would have given it theirs as well."""
    hold_by_partition(cores=2)
    first, held = Held(), Held()  # CPU 0 cannot go offline
    first.end()
    eventually(lambda: first.lease not in leases(), "the other core is free")
    cpus = sorted(held.cpus)
    with offline_cpu(cpus[0]), offline_cpu(cpus[1]):
        eventually(lambda: cpus_of(leases()[held.lease]["cpus"]) != held.cpus, "it gets others")
        now = cpus_of(leases()[held.lease]["cpus"])
        check(not now & held.cpus and now <= pool_cpus(), f"others of the pool: {now}")
        try:
            eventually(lambda: allowed(held.pid) == now, "where it may run")
        except AssertionError:
            group = held.group()
            where = f"in /{group}: {effective(group)} of {(CGROUP / group / 'cpuset.cpus').read_text().strip()}"
            same(allowed(held.pid), now, f"where it may run, {where}")
        eventually(lambda: cmkctl("verify", held.lease).code == 0, "verify")
    eventually(lambda: pools()["exclusive"]["free_cores"] == 1, "the others are free again")
    second = Held()
    same(second.cpus, held.cpus, "CPUs of the next lease")
    must_hold(second)


# ---- a configuration that cannot be -------------------------------------------------------------


def test_cpus_that_do_not_exist_are_refused_by_name() -> None:
    serve()
    held = Held()
    before, facts = pools(), held.facts()
    TEST_CONFIG.write_text('[pools.exclusive]\nkind = "exclusive"\ncpus = "64-65"\n')
    done = bus_call("Reload", "a{sv}", "0")
    check(done.code != 0, "the configuration was taken")
    has(done.err, "64-65", "0-7")
    same(pools(), before, "pools")
    run("systemctl", "restart", AGENT)
    has(journal(AGENT), "64-65")
    same(held.facts()["allowed"], held.cpus, "where it may run")
    TEST_CONFIG.unlink()
    run("systemctl", "reset-failed", AGENT)
    must("systemctl", "restart", AGENT)
    same(held.facts(), facts, "the lease")
    same(pools(), before, "pools")


def test_an_unknown_key_is_refused_with_its_line() -> None:
    serve()
    write_pools('cores = 2\ncolour = "blue"')
    done = bus_call("Reload", "a{sv}", "0")
    check(done.code != 0, "the configuration was taken")
    has(done.err, f"{TEST_CONFIG}:4", "colour", "known are")


def test_a_pool_that_would_not_fit_its_leases_is_refused() -> None:
    serve()
    first, second = Held(), Held()
    before = pools()
    done = cmkctl("init", "--num-exclusive-cores", "1", "--num-shared-cores", "0", "--yes")
    check(done.code != 0, "the pool was made smaller than its leases")
    check(first.lease in done.err or second.lease in done.err, f"a lease is named: {done.err}")
    same(pools(), before, "pools")
    must_hold(first)
    must_hold(second)


# ---- no room for the state ----------------------------------------------------------------------


@contextlib.contextmanager
def full_run() -> Iterator[None]:
    """Nothing more fits into /run."""
    fill = Path("/run/cmk-tests-fill")
    fd = os.open(fill, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
    try:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    os.write(fd, b"x" * size)
        yield
    finally:
        os.close(fd)
        fill.unlink()


def test_a_full_run_refuses_leases_and_keeps_those_that_are() -> None:
    serve()
    held = Held()
    with full_run():
        done = cmkctl("isolate", "--pool", "exclusive", "--", "true")
        same(done.code, 125, "exit status")
        has(done.err, os.strerror(28), str(STATE))
        same(list(leases()), [held.lease], "leases")
        same(len(lease_groups()), 1, "cgroups of leases")
        same(held.facts()["allowed"], held.cpus, "where it may run")
        held.end()
    lease_is_gone(held.lease)
    same(cmkctl("isolate", "--pool", "exclusive", "--", "true").code, 0, "exit status")
    eventually(lambda: not leases(), "all leases end")
    same(cmkctl("reconcile").code, 0, "exit status of reconcile")
