# SPDX-License-Identifier: Apache-2.0
"""How strongly leases are held, read from the kernel's files, and proved by trying."""

import errno
import os

import machine
from cmk import (
    EXCLUSIVE_CORES,
    LOCAL_TOP,
    TOP,
    Held,
    Program,
    cmkctl,
    expected_grade,
    has_partition,
    hold_by_partition,
    leases,
    must_hold,
    pool_cpus,
    pool_group,
    pool_partition,
    pools,
    reload,
    serve,
    verify,
    write_pools,
)
from machine import (
    CGROUP,
    allowed,
    boot_isolated,
    check,
    effective,
    eventually,
    group_of,
    has,
    has_remote_partitions,
    list_of,
    must,
    online,
    partition,
    read,
    run,
    same,
)


def test_the_grade_is_what_the_kernel_says() -> None:
    """What this kernel is expected to give, without asking for anything."""
    serve()
    held = Held()
    same(group_of(held.pid), f"{TOP}/exclusive/{held.lease}", "the lease's cgroup")
    same(has_partition(), has_remote_partitions(), "is the pool a partition")
    same(leases()[held.lease]["grade"], expected_grade(has_remote_partitions()), "grade")
    if has_remote_partitions():
        wanted = "isolated" if boot_isolated() else "root"
        same(partition(pool_group()), wanted, "the pool's partition")
        same(effective(pool_group()), pool_cpus(), "the pool's effective CPUs")
        same(effective(""), online() - pool_cpus(), "CPUs left to everybody")
    else:
        same(partition(pool_group()), "member", "the pool's partition")
        check(held.cpus <= effective(""), "its CPUs are not taken from everybody")
    must_hold(held)


def test_verify_names_evidence_and_what_would_raise_the_grade() -> None:
    serve()
    held = Held()
    verdict = verify(held.lease)
    evidence = " ".join(check["evidence"] for check in verdict["checks"])
    has(evidence, "effective CPUs")
    if expected_grade(has_partition()) == "C":
        has(verdict["raise"], "partition")
        text = must("cmkctl", "verify", held.lease)
        has(text, "to raise the grade", "grade C")


def test_a_partition_is_held_and_read_back() -> None:
    hold_by_partition()
    held = Held()
    same(leases()[held.lease]["grade"], "B", "grade")
    check(partition(pool_partition()) in ("root", "isolated"), "the partition is valid")
    same(effective(pool_partition()), pool_cpus(), "the partition's CPUs")
    for group in ("", "system.slice", "init.scope"):
        same(effective(group), online() - pool_cpus(), f"effective CPUs of /{group}")
    must_hold(held)


def test_nobody_else_can_run_on_leased_cores() -> None:
    """Proved by trying: by pinning before and after the cores are taken."""
    hold_by_partition(cores=1)
    before = pool_cpus()
    # A process that sits where the pool is going to be.
    wanted = online() - before if not boot_isolated() else boot_isolated() - before
    pinned = Program("taskset", "-c", list_of(wanted), "cat")
    eventually(lambda: allowed(pinned.pid) == wanted, "it is pinned")
    hold_by_partition(cores=EXCLUSIVE_CORES)
    held = Held("--cores", str(EXCLUSIVE_CORES))
    check(not allowed(pinned.pid) & pool_cpus(), f"pinned one may run on {allowed(pinned.pid)}")

    done = run("taskset", "-c", list_of(held.cpus), "true")
    check(done.code != 0, "taskset to leased cores succeeded")
    has(done.err, os.strerror(errno.EINVAL))
    other = max(online() - pool_cpus())
    mixed = ("taskset", "-c", list_of(held.cpus | {other}), "cat", "/proc/self/status")
    check(f"Cpus_allowed_list:\t{other}\n" in must(*mixed), "it gets the other CPU only")
    for pid in (1, os.getpid()):
        check(not allowed(pid) & pool_cpus(), f"process {pid} may run on {allowed(pid)}")
    must_hold(held)


def others_on(cpus: set[int], group: str) -> list[str]:
    """Processes outside the group that may run on the CPUs, but for kernel threads and for the
    process that keeps a local partition's unit."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if not read(f"/proc/{name}/cmdline"):
                continue
            where = group_of(int(name))
            if where == f"{LOCAL_TOP}/holder":
                continue
            if allowed(int(name)) & cpus and not where.startswith(group):
                found.append(f"{name} {read(f'/proc/{name}/comm')}")
        except (OSError, AssertionError):
            continue  # it has ended
    return found


def test_no_process_of_the_host_may_run_on_leased_cores() -> None:
    hold_by_partition()
    held = Held()
    same(others_on(held.cpus, pool_group()), [], "processes that may run there")


def test_a_unit_that_asks_for_leased_cores_runs_elsewhere() -> None:
    hold_by_partition()
    held = Held()
    command = ("systemd-run", "--quiet", "--wait", "--pipe", "--collect")
    asked = (*command, "-p", f"AllowedCPUs={list_of(held.cpus)}", "cat", "/proc/self/status")
    text = must(*asked)
    line = next(line for line in text.splitlines() if line.startswith("Cpus_allowed_list"))
    check(not machine.cpus_of(line.partition(":")[2]) & pool_cpus(), f"the unit ran on {line}")
    must_hold(held)


def test_a_pool_that_grows_and_shrinks_stays_valid() -> None:
    hold_by_partition(cores=1)
    held = Held()
    for cores in (2, 1, 2):
        hold_by_partition(cores=cores)
        same(effective(pool_partition()), pool_cpus(), "the partition's CPUs")
        same(effective(""), online() - pool_cpus(), "CPUs left to everybody")
        must_hold(held)


def test_a_pool_without_leases_gives_its_cpus_back() -> None:
    serve()
    must("cmkctl", "init", "--num-exclusive-cores", "0", "--num-shared-cores", "0", "--yes")
    same(effective(""), online(), "CPUs of everybody")
    must("cmkctl", "init", "--num-exclusive-cores", "1", "--num-shared-cores", "0", "--yes")
    must_hold(Held())
    for program in list(Program.running):
        program.kill()
    eventually(lambda: not leases(), "all leases end")
    must("cmkctl", "init", "--num-exclusive-cores", "0", "--num-shared-cores", "0", "--yes")
    same(effective(""), online(), "CPUs of everybody")


def test_a_grade_that_cannot_be_given_is_refused() -> None:
    serve()
    write_pools('cores = 2\nisolation = "cpuset"\nrequire_grade = "B"')
    reload()
    done = cmkctl("isolate", "--pool", "exclusive", "--", "true")
    same(done.code, 125, "exit status")
    has(done.err, "grade")
    same(leases(), {}, "leases")


def test_a_pool_may_ask_for_less() -> None:
    serve()
    for isolation, grade in (("cpuset", "C"), ("affinity", "D")):
        write_pools(f'cores = 2\nisolation = "{isolation}"')
        reload()
        same(pools()["exclusive"]["isolation"], isolation, "isolation")
        held = Held()
        same(leases()[held.lease]["grade"], grade, f"grade with isolation {isolation}")
        same(allowed(held.pid), held.cpus, "where it may run")
        check(held.cpus <= effective(""), "the CPUs are not taken from everybody")
        held.end()
        eventually(lambda: not leases(), "the lease ends")


# ---- limits of the unit that a program came from ------------------------------------------------

ALLOCATE = "data = b'x' * (200 << 20); print('got it')"
LIMITED = ("systemd-run", "--quiet", "--wait", "--pipe", "--collect", "-p", "MemorySwapMax=0")


def test_a_memory_limit_of_the_unit_goes_on_to_hold() -> None:
    serve()
    program = ("python3", "-c", ALLOCATE)
    isolate = ("cmkctl", "isolate", "--pool", "exclusive", "--")
    free = run(*isolate, *program)
    has(free.out, "got it")
    done = run(*LIMITED, "-p", "MemoryMax=64M", *isolate, *program)
    check(done.code != 0 and "got it" not in done.out, f"it got 200 MiB of its 64: {done}")
    eventually(lambda: not leases(), "its lease ends")


def test_the_lease_shows_the_limits_that_it_copied() -> None:
    serve()
    script = "cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/$1"
    for name, given, wanted in (
        ("memory.max", "MemoryMax=64M", str(64 << 20)),
        ("memory.high", "MemoryHigh=48M", str(48 << 20)),
        ("pids.max", "TasksMax=33", "33"),
    ):
        command = ("cmkctl", "isolate", "--pool", "exclusive", "--wait=60", "--")
        out = must(*LIMITED, "-p", given, *command, "sh", "-c", script, "sh", name)
        same(out.strip(), wanted, name)


def test_what_comes_without_a_limit_gets_none() -> None:
    serve()
    held = Held()
    same(read(CGROUP / held.group() / "memory.max"), "max", "memory.max")
