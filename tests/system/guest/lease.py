# SPDX-License-Identifier: Apache-2.0
"""Leases: never two on a core, what a full pool says, and how they end."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import machine
from cmk import (
    EXCLUSIVE_CORES,
    Held,
    Monitor,
    Program,
    cmkctl,
    lease_groups,
    lease_is_gone,
    leases,
    must_hold,
    pool_cpus,
    pools,
    serve,
)
from framework import deadline
from machine import allowed, check, eventually, group_of, has, is_running, must, online, same


def test_two_at_once_never_share_a_core() -> None:
    """The programs themselves find out: each locks a file named after its CPUs."""
    serve()
    rounds = 40 if machine.FULL else 8
    lock = 'exec flock -n -E 99 "/run/lock/core-$CMK_CPUS_ASSIGNED" sleep 0.1'

    def isolate(_: int) -> int:
        command = ("isolate", "--pool", "exclusive", "--wait=100", "--", "sh", "-c", lock)
        return cmkctl(*command, seconds=110).code

    with ThreadPoolExecutor(4) as pool:
        same(list(pool.map(isolate, range(4 * rounds))), [0] * 4 * rounds, "exit statuses")
    eventually(lambda: not leases(), "all leases end")


def test_two_that_hold_have_different_cores() -> None:
    serve()
    first, second = Held(), Held()
    check(not first.cpus & second.cpus, f"{first.cpus} and {second.cpus} overlap")
    same(first.cpus | second.cpus, pool_cpus(), "CPUs of both")
    must_hold(first)
    must_hold(second)


def test_a_lease_of_two_cores_has_both() -> None:
    serve()
    held = Held("--cores", "2")
    same(held.cpus, pool_cpus(), "its CPUs")
    must_hold(held)


def test_a_full_pool_says_who_has_it() -> None:
    serve()
    first, second = Held(), Held()
    done = cmkctl("isolate", "--pool", "exclusive", "--", "true")
    same(done.code, 125, "exit status")
    has(done.err, "exclusive", f"0 of its {EXCLUSIVE_CORES} cores", first.lease, second.lease)
    done = cmkctl("isolate", "--pool", "exclusive", "--wait=1", "--", "true")
    same(done.code, 125, "exit status")
    has(done.err, "wait")
    second.end()
    lease_is_gone(second.lease)
    done = cmkctl("isolate", "--pool", "exclusive", "--cores", "2", "--", "true")
    same(done.code, 125, "exit status")
    has(done.err, f"1 of its {EXCLUSIVE_CORES} cores is free", "at most 1")


def test_who_waits_is_served_when_a_lease_ends() -> None:
    serve()
    first, second = Held(), Held()
    waiting = Program("cmkctl", "isolate", "--pool", "exclusive", "--wait", "--", "echo", "served")
    eventually(lambda: pools()["exclusive"]["waiting"] == 1, "one request waits")
    first.end()
    same(waiting.line(), "served", "what the waiting one says")
    same(waiting.end(), 0, "its exit status")
    second.end()


def test_a_child_that_outlives_its_parent_keeps_the_lease() -> None:
    serve()
    monitor = Monitor()
    script = 'exec 3<&0; cat <&3 & echo "$CMK_LEASE_ID $CMK_CPUS_ASSIGNED"; echo $!; exec 3<&-'
    held = Held(script=script)
    child = int(held.line())
    same(held.process.wait(machine.PATIENCE), 0, "the parent's exit status")
    eventually(lambda: not is_running(held.pid), "the parent is gone")
    check(held.lease in leases(), "the child keeps the lease")
    same(allowed(child), held.cpus, "where the child may run")
    done = cmkctl("isolate", "--pool", "exclusive", "--cores", "2", "--", "true")
    same(done.code, 125, "exit status of one who wants its core too")
    held.stdin.close()
    monitor.until("lease_removed", held.lease)
    same(lease_groups(), [], "cgroups of leases")
    monitor.kill()


def test_signals_and_statuses_are_the_programs_own() -> None:
    serve()
    held = Held()
    os.kill(held.pid, signal.SIGTERM)
    same(held.process.wait(machine.PATIENCE), -signal.SIGTERM, "how it ended")
    lease_is_gone(held.lease)
    same(cmkctl("isolate", "--pool", "exclusive", "--", "/etc/passwd").code, 126, "exit status")
    same(cmkctl("isolate", "--pool", "exclusive", "--", "no-such-program").code, 127, "exit status")
    same(leases(), {}, "leases")


def test_release_lets_the_program_run_on_where_it_came_from() -> None:
    serve()
    held = Held()
    check(group_of(held.pid) != group_of(os.getpid()), "it is in a cgroup of its own")
    must("cmkctl", "release", held.lease)
    same(leases(), {}, "leases")
    same(group_of(held.pid), group_of(os.getpid()), "its cgroup")
    same(allowed(held.pid), allowed(os.getpid()), "where it may run")
    same(held.end(), 0, "exit status")
    same(cmkctl("release", held.lease).code, 6, "exit status for a lease that is gone")


def test_shared_pools_give_all_their_cpus_to_everybody() -> None:
    serve()
    first, second = Held(pool="infra"), Held(pool="infra")
    same(first.cpus, pool_cpus("infra"), "CPUs of the first")
    same(second.cpus, first.cpus, "CPUs of the second")
    check(not first.cpus & pool_cpus(), "the pools overlap")
    same(allowed(second.pid), second.cpus, "where the second may run")


@deadline(600)
def test_many_leases_come_and_go_and_leave_nothing() -> None:
    serve()
    rounds = 300 if machine.FULL else 40
    once = "cmkctl isolate --pool infra --wait -- true || exit 1"
    must("sh", "-c", f"for i in $(seq {rounds}); do {once}; done", seconds=580)
    eventually(lambda: not leases(), "all leases end")
    same(lease_groups(), [], "cgroups of leases")
    check(pool_cpus() < online(), "there are CPUs outside the exclusive pool")
