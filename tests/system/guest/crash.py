# SPDX-License-Identifier: Apache-2.0
"""What is killed at a bad moment: the program, the agent, the holder."""

import os
import signal
import time

import machine
from cmk import (
    AGENT,
    EXCLUSIVE_CORES,
    HOLDER,
    SOCKETS,
    Held,
    Program,
    cmkctl,
    hold_by_partition,
    lease_groups,
    lease_is_gone,
    leases,
    must_hold,
    pool_group,
    pools,
    serve,
)
from framework import deadline
from machine import check, eventually, is_active, main_pid, must, same, unit

SERVICES = (AGENT, *SOCKETS)


def kill_agent() -> None:
    """And waits until another one serves."""
    old = main_pid(AGENT)
    check(old > 0, "the agent runs")
    os.kill(old, signal.SIGKILL)
    eventually(lambda: main_pid(AGENT) not in (0, old) and is_active(AGENT), "the agent is back")


def allow_restarts() -> None:
    """Crashes of tests before this one do not count."""
    must("systemctl", "reset-failed", AGENT)


def test_a_killed_program_gives_its_core_back() -> None:
    serve()
    held = Held()
    group = held.group()
    held.kill()
    lease_is_gone(held.lease)
    check(not (machine.CGROUP / group).exists(), "its cgroup is gone")
    same(pools()["exclusive"]["free_cores"], EXCLUSIVE_CORES, "free cores")


def test_an_agent_killed_at_rest_loses_no_lease() -> None:
    hold_by_partition()
    allow_restarts()
    held = Held()
    before = held.facts()
    kill_agent()
    same(held.facts(), before, "the lease")
    must_hold(held)
    other = Held()
    check(not other.cpus & held.cpus, "another lease has other cores")
    held.kill()
    lease_is_gone(held.lease)
    other.end()
    lease_is_gone(other.lease)


def test_a_lease_that_ends_while_no_agent_runs_is_found_ended() -> None:
    serve()
    allow_restarts()
    held = Held()
    must("systemctl", "stop", *SERVICES)
    check(machine.is_running(held.pid), "the program runs on")
    held.kill()
    must("systemctl", "start", *SERVICES)
    lease_is_gone(held.lease)
    same(lease_groups(), [], "cgroups of leases")


@deadline(900)
def test_an_agent_killed_in_mid_request_leaves_nothing_half_done() -> None:
    """Requests either succeed or fail as a whole, whenever it dies."""
    serve()
    for step in range(30 if machine.FULL else 6):
        allow_restarts()
        programs = [
            Program("cmkctl", "isolate", "--pool", "exclusive", "--wait=30", "--", "sleep", "0.2")
            for _ in range(4)
        ]
        time.sleep(0.05 + 0.07 * step)  # the moment itself is what is tried
        kill_agent()
        for program in programs:
            code = program.end()
            check(code in (0, 125), f"exit status {code}")
        eventually(lambda: not leases(), "all leases end")
        same(lease_groups(), [], "cgroups of leases")
        same(pools()["exclusive"]["free_cores"], EXCLUSIVE_CORES, "free cores")
        report = cmkctl("reconcile")
        same(report.code, 0, f"reconcile: {report.text()}")


def test_a_killed_waiting_request_leaves_the_queue() -> None:
    serve()
    first, second = Held(), Held()
    waiting = Program("cmkctl", "isolate", "--pool", "exclusive", "--wait", "--", "true")
    eventually(lambda: pools()["exclusive"]["waiting"] == 1, "one request waits")
    waiting.kill()
    eventually(lambda: pools()["exclusive"]["waiting"] == 0, "nobody waits")
    first.end()
    second.end()


def test_a_killed_holder_loses_no_lease_and_is_reported() -> None:
    hold_by_partition()
    holder = pool_group().split("/")[1]
    check(is_active(holder), "the holder runs")
    held = Held()
    before = held.facts()
    must("systemctl", "kill", "--kill-whom=main", "--signal=KILL", holder)
    eventually(lambda: holder in cmkctl("status").text(), "status tells of it")
    machine.has(cmkctl("reconcile").text(), holder)
    machine.has(machine.journal(AGENT), holder)
    same(held.facts(), before, "the lease")
    must_hold(held)
    other = Held()
    check(not other.cpus & held.cpus, "another lease has other cores")
    must("systemctl", "restart", AGENT)
    same(held.facts(), before, "the lease after a restart of the agent")
    machine.has(cmkctl("status").text(), holder)
    held.end()
    other.end()
    eventually(lambda: is_active(holder), "systemd starts the holder again")
    must("cmkctl", "reconcile")
    must_hold(Held())
    check(holder not in cmkctl("status").text(), "status tells of it no longer")


def test_the_holder_is_hard_to_kill_by_accident() -> None:
    serve()
    same(machine.read(f"/proc/{main_pid(HOLDER)}/oom_score_adj"), "-1000", "oom_score_adj")
    same(unit(HOLDER, "TasksMax"), "infinity", "TasksMax")
