# SPDX-License-Identifier: Apache-2.0
"""From apt install to the first isolated program, as a new user would go."""

import re

import machine
from cmk import (
    AGENT,
    BUS,
    EXCLUSIVE_CORES,
    HOLDER,
    SOCKETS,
    Held,
    bus_call,
    cmkctl,
    data,
    init,
    install,
    is_installed,
    pools,
    serve,
)
from machine import check, cpuset_files, cpus_of, has, is_active, must, run, same, unit
from traces import before_install, differences

UNITS = (AGENT, HOLDER, *SOCKETS, "cmk-agent-uevent.socket")


def must_be_untouched() -> None:
    """The cpusets of everything that was there before are as they were."""
    same(differences(before_install().cpusets, cpuset_files()), [], "changed cpusets")


def bus_has_agent() -> bool:
    return BUS[0] in must("busctl", "--system", "list", "--no-legend", "--acquired")


def test_installing_changes_nothing() -> None:
    check(not is_installed(), "nothing is installed yet")
    before_install()
    install()
    must_be_untouched()
    for name in UNITS:
        same(unit(name, "ActiveState"), "inactive", name)
        state = unit(name, "UnitFileState")
        check(state in ("disabled", "static", "indirect"), f"{name} is {state}")
    same(run("pgrep", "-l", "cmk").out, "", "processes of CMK")
    same([str(each) for each in machine.CGROUP.glob("cmk*")], [], "cgroups of CMK")


def test_a_bus_call_starts_no_agent_that_is_not_enabled() -> None:
    done = bus_call("ListPools")
    check(done.code != 0, "the call was answered")
    same(unit(AGENT, "ActiveState"), "inactive", AGENT)
    check(not bus_has_agent(), "nobody has taken the bus name")


def test_without_an_agent_cmkctl_says_so() -> None:
    done = cmkctl("status")
    same(done.code, 5, "exit status")
    has(done.err, "/run/cmk/agent.sock")
    same(cmkctl("isolate", "--pool", "exclusive", "--", "true").code, 125, "exit status")


def test_units_verify_and_are_confined() -> None:
    done = run("systemd-analyze", "verify", *(f"/lib/systemd/system/{name}" for name in UNITS))
    same((done.code, done.text().strip()), (0, ""), "systemd-analyze verify")
    done = run("systemd-analyze", "security", "--no-pager", AGENT)
    score = re.search(r"Overall exposure level.*?: ([0-9.]+)", done.text())
    check(score is not None, f"no exposure level in: {done.text()}")
    assert score is not None
    machine.note(f"systemd-analyze security {AGENT}: {score[1]}")
    check(float(score[1]) <= 2.0, f"exposure level {score[1]} is above 2.0")


def test_enabling_changes_no_cpuset() -> None:
    must("systemctl", "enable", "--now", AGENT, *SOCKETS)
    for name in (AGENT, *SOCKETS):
        check(is_active(name), f"{name} is active")
    same(unit(AGENT, "NRestarts"), "0", "restarts of the agent")
    check(bus_has_agent(), "the agent has its bus name")
    same(pools(), {}, "pools")
    must_be_untouched()


def test_init_shows_what_it_would_do_and_does_it() -> None:
    if not is_active(AGENT):
        serve()
    counts = ("--num-exclusive-cores", "2", "--num-shared-cores", "0")
    dry = must("cmkctl", "init", *counts, "--dry-run")
    has(dry, "would change", "exclusive")
    same(pools(), {}, "pools")
    must_be_untouched()
    init()
    found = pools()
    same(found["exclusive"]["cores"], EXCLUSIVE_CORES, "exclusive cores")
    if machine.boot_isolated():
        same(cpus_of(found["exclusive"]["cpus"]), machine.boot_isolated(), "exclusive CPUs")
    has(init(), "nothing to do")


def test_isolate_runs_a_program_on_cores_of_its_own() -> None:
    serve()
    script = "grep Cpus_allowed_list /proc/self/status; echo $CMK_CPUS_ASSIGNED; exit 7"
    done = cmkctl("isolate", "--pool", "exclusive", "--", "sh", "-c", script)
    same(done.code, 7, f"the program's exit status ({done.err})")
    status, assigned = done.out.splitlines()
    same(cpus_of(status.partition(":")[2]), cpus_of(assigned), "where it could run")
    same(len(cpus_of(assigned)), 2, "CPUs of one core")


def test_status_shows_pools_and_leases() -> None:
    serve()
    held = Held()
    text = must("cmkctl", "status")
    has(text, held.lease, "exclusive", "infra")
    status = data("status")
    same([lease["id"] for lease in status["leases"]], [held.lease], "leases in the status")
    owned = {cpu["cpu"] for cpu in status["cpus"] if cpu["lease"] == held.lease}
    same(owned, held.cpus, "CPUs of the lease in the status")
    same(held.end(), 0, "exit status")
