# SPDX-License-Identifier: Apache-2.0
"""The agent on the real system bus: busctl, and a client in another language."""

import json
from typing import Any

import machine
from bus_listener import CLIENT, Listener
from cmk import (
    BUS,
    Held,
    Program,
    bus_call,
    init,
    lease_is_gone,
    leases,
    pool_cpus,
    pools,
    serve,
)
from machine import allowed, check, cpus_of, group_of, has, must, online, same

METHODS = (
    "Isolate", "IsolateProcess", "Release", "ListPools", "ListLeases", "GetTopology", "GetMetrics",
    "Reconcile", "Verify", "Reconfigure", "Reload",
)  # fmt: skip


def client(*words: str, user: str = "") -> Any:
    return json.loads(must(CLIENT, *words, user=user))


def prop(name: str) -> str:
    return must("busctl", "--system", "get-property", *BUS, name).strip()


def test_introspection_shows_the_interface() -> None:
    serve()
    text = must("busctl", "--system", "introspect", *BUS[:2], BUS[2])
    has(text, *(f".{name}" for name in METHODS))
    has(text, ".LeaseAdded", ".LeaseRemoved", ".PoolsChanged", ".LeaseCount", ".LowestGrade")
    has(must("busctl", "--system", "tree", BUS[0]), BUS[1])


def test_busctl_calls_are_answered() -> None:
    serve()
    answer = bus_call("ListPools")
    same(answer.code, 0, answer.text())
    has(answer.out, '"exclusive"', '"infra"', '"free_cores"')
    has(bus_call("GetTopology").out, '"mechanism"', '"isolated"')
    held = Held()
    has(bus_call("ListLeases").out, held.lease, '"grade"')
    has(bus_call("Verify", "sa{sv}", held.lease, "0").out, '"evidence"')
    same(prop("LeaseCount"), "u 1", "LeaseCount")
    same(prop("LowestGrade"), f's "{leases()[held.lease]["grade"]}"', "LowestGrade")
    same(bus_call("Reconcile", "a{sv}", "0").code, 0, "exit status of Reconcile")
    same(bus_call("Release", "sa{sv}", held.lease, "0").code, 0, "exit status of Release")
    same(prop("LeaseCount"), "u 0", "LeaseCount")


def test_errors_have_names_and_sentences() -> None:
    serve()
    done = bus_call("Release", "sa{sv}", "nothing", "0")
    check(done.code != 0, "Release of a lease that is not there succeeded")
    has(done.err, "nothing")
    error = client("release", "nothing")
    same(error["error"], "org.cmk.Agent1.Error.UnknownLease", "name of the error")
    error = client("isolate", "nowhere", "1")
    same(error["error"], "org.cmk.Agent1.Error.UnknownPool", "name of the error")
    has(error["text"], "nowhere", "exclusive")
    error = client("isolate", "exclusive", "99")
    same(error["error"], "org.cmk.Agent1.Error.NotEnoughCpus", "name of the error")


def test_a_python_client_isolates_itself() -> None:
    serve()
    program = Program(CLIENT, "isolate", "exclusive", "1")
    lease, cpus, info = json.loads(program.line())
    same(allowed(program.pid), cpus_of(cpus), "where it may run")
    check(cpus_of(cpus) <= pool_cpus(), f"{cpus} are CPUs of the pool")
    same(info["grade"], leases()[lease]["grade"], "grade")
    same(leases()[lease]["pid"], program.pid, "owner of the lease")
    same(program.end(), 0, "exit status")
    lease_is_gone(lease)


def test_a_python_client_isolates_another_process_and_releases_it() -> None:
    serve()
    program = Program("cat")
    origin = group_of(program.pid)
    lease, cpus, _ = client("isolate-process", str(program.pid), "exclusive", "1")
    same(allowed(program.pid), cpus_of(cpus), "where it may run")
    same(client("release", lease), "released", "answer to Release")
    same(group_of(program.pid), origin, "its cgroup")
    check(allowed(program.pid) <= online() and lease not in leases(), "the lease is gone")
    same(program.end(), 0, "exit status")


def test_signals_tell_of_leases_and_pools() -> None:
    serve()
    with Listener() as listener:
        held = Held()
        added = listener.until("LeaseAdded", held.lease)
        same(cpus_of(added[2]["cpus"]), held.cpus, "CPUs in the signal")
        held.end()
        removed = listener.until("LeaseRemoved", held.lease)
        check(removed[2], "the signal says why it ended")
        init(exclusive=1)
        listener.until("PoolsChanged")
        init()
        listener.until("PoolsChanged")
        changed = [event for event in listener.seen if event[0] == "PropertiesChanged"]
        check(any("LeaseCount" in event[2] for event in changed), f"LeaseCount in {changed}")


def test_a_client_that_leaves_the_bus_stops_waiting() -> None:
    serve()
    first, second = Held(), Held()
    command = ("busctl", "--system", "--timeout=600", "call", *BUS, "Isolate", "sua{sv}")
    waiting = Program(*command, "exclusive", "1", "1", "wait_ms", "t", "500000")
    machine.eventually(lambda: waiters() == 1, "one request waits")
    waiting.kill()
    machine.eventually(lambda: waiters() == 0, "nobody waits")
    first.end()
    second.end()


def waiters() -> int:
    return int(pools()["exclusive"]["waiting"])
