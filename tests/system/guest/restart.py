# SPDX-License-Identifier: Apache-2.0
"""What administrators do to a host that serves: restarts and reloads."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Callable

import machine
from bus_listener import Listener
from cmk import (
    AGENT,
    HOLDER,
    SOCKETS,
    Held,
    cmkctl,
    hold_by_partition,
    lease_groups,
    leases,
    must_hold,
    serve,
)
from framework import deadline
from machine import Outcome, check, eventually, is_active, main_pid, must, same, unit


def through(held: Held, disturb: Callable[[], object]) -> None:
    """The disturbance changes nothing about the lease, and nobody hears that it ended."""
    before = held.facts()
    with Listener() as listener:
        disturb()
        eventually(lambda: is_active(AGENT), "the agent serves")
        same(held.facts(), before, "the lease")
        must_hold(held)
        marker = Held(pool="infra")
        listener.until("LeaseAdded", marker.lease)
    about = [event for event in listener.seen if held.lease in event]
    same(about, [], "signals about the lease")


def test_a_restart_of_the_agent_changes_no_lease() -> None:
    hold_by_partition()
    through(Held(), lambda: must("systemctl", "restart", AGENT))


def test_a_stop_and_start_of_the_agent_changes_no_lease() -> None:
    hold_by_partition()
    held = Held()
    before = held.facts()
    must("systemctl", "stop", AGENT, *SOCKETS)
    same(machine.allowed(held.pid), held.cpus, "where it may run without an agent")
    must("systemctl", "start", AGENT, *SOCKETS)
    same(held.facts(), before, "the lease")


@deadline(600)
def test_requests_made_during_restarts_wait_and_succeed() -> None:
    serve()
    restarts = 10 if machine.FULL else 3
    stop = False

    def isolate(number: int) -> list[Outcome]:
        failed = []
        while not stop:
            pool = "exclusive" if number % 2 else "infra"
            done = cmkctl("isolate", "--pool", pool, "--wait=60", "--", "true")
            if done.code != 0:
                failed.append(done)
        return failed

    with ThreadPoolExecutor(4) as threads:
        loops: list[Future[list[Outcome]]] = [threads.submit(isolate, n) for n in range(4)]
        try:
            for _ in range(restarts):
                must("systemctl", "reset-failed", AGENT)
                must("systemctl", "restart", AGENT)
        finally:
            stop = True
        same([done for loop in loops for done in loop.result()], [], "requests that failed")
    eventually(lambda: not leases(), "all leases end")
    same(lease_groups(), [], "cgroups of leases")


def test_a_request_starts_an_agent_that_is_enabled() -> None:
    """The sockets listen on while the agent is down."""
    serve()
    must("systemctl", "stop", AGENT)
    same(cmkctl("isolate", "--pool", "exclusive", "--", "true").code, 0, "exit status")
    check(is_active(AGENT), "the agent runs")


def test_daemon_reload_changes_no_lease() -> None:
    hold_by_partition()
    through(Held(), lambda: must("systemctl", "daemon-reload"))


def test_daemon_reexec_changes_no_lease() -> None:
    hold_by_partition()
    through(Held(), lambda: must("systemctl", "daemon-reexec"))


def test_weights_set_on_our_units_change_no_lease() -> None:
    hold_by_partition()

    def disturb() -> None:
        for name in ("cmk.slice", HOLDER):
            must("systemctl", "set-property", "--runtime", name, "CPUWeight=200")
        must("systemctl", "daemon-reload")

    through(Held(), disturb)


def holder_facts() -> dict[str, Any]:
    """What no restart or upgrade of the agent may touch."""
    names = (HOLDER, *SOCKETS)
    facts: dict[str, Any] = {name: unit(name, "ActiveEnterTimestampMonotonic") for name in names}
    facts["holder"] = main_pid(HOLDER)
    for directory in ("/run/cmk", "/run/cmk-observe", "/run/cmk-admin"):
        facts[directory] = os.stat(directory).st_ino
        facts[f"{directory}/agent.sock"] = os.stat(f"{directory}/agent.sock").st_ino
    return facts
