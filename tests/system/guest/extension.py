# SPDX-License-Identifier: Apache-2.0
"""CMK from a system extension, without packages: at boot, refreshed, taken off, merged by hand."""

import grp
import shutil
from pathlib import Path

import machine
from cmk import AGENT, HOLDER, SOCKETS, Held, bus_call, cmkctl, leases, must_hold, pools
from machine import (
    CGROUP,
    check,
    effective,
    eventually,
    exists,
    has,
    is_active,
    main_pid,
    must,
    online,
    read,
    run,
    same,
)

SERVICE = "systemd-sysext.service"
LIBRARIES = ("libcgroup.so.2", "libhwloc.so.15", "libstdc++.so.6", "libtomlplusplus.so.3")


def must_serve() -> None:
    """Everything that reads /usr knows what the extension brought."""
    eventually(lambda: is_active(AGENT), lambda: f"the agent runs: {machine.journal(SERVICE, AGENT)}")
    for name in SOCKETS:
        check(is_active(name), f"{name} is active")
    check(grp.getgrnam("cmk"), "the group cmk is there")
    same(bus_call("ListPools").code, 0, "exit status of a call on the bus")
    has(must("pkaction"), "org.cmk.Agent1.lease")
    same(pools()["exclusive"]["cores"], 2, "cores of the pool in the drop-in")


def must_isolate() -> None:
    held = Held()
    same(leases()[held.lease]["grade"], "B", "grade")
    must_hold(held)
    same(held.end(), 0, "exit status")
    eventually(lambda: not leases(), "the lease ends")


def test_the_host_has_no_packages_of_it() -> None:
    for name in ("cmk-agent", "cmkctl"):
        check(run("dpkg-query", "-W", name).code != 0, f"{name} is no package here")
    has(must("systemd-sysext", "status"), "cmk")


def test_at_boot_it_is_merged_and_the_agent_starts() -> None:
    must_serve()
    same(machine.unit(AGENT, "NRestarts"), "0", "restarts of the agent")


def test_it_has_its_libraries_with_it() -> None:
    maps = read(f"/proc/{main_pid(AGENT)}/maps")
    has(maps, *(f"/usr/lib/cmk/{name}" for name in LIBRARIES))


def test_it_isolates() -> None:
    must_isolate()


def test_a_refresh_touches_no_lease() -> None:
    """As an update does: the file is replaced, the hierarchies are merged anew."""
    held = Held()
    image = Path("/var/lib/extensions/cmk.raw")
    shutil.copy(image, "/var/lib/extensions/new")
    Path("/var/lib/extensions/new").rename(image)
    must("systemd-sysext", "refresh")
    must("systemctl", "daemon-reload")
    must("systemctl", "restart", AGENT)
    must_serve()
    must_hold(held)
    check(is_active(HOLDER), "the holder runs on")
    same(held.end(), 0, "exit status")
    must_isolate()


def test_taken_off_it_gives_every_cpu_back() -> None:
    """The steps of docs/node-images.md."""
    held = Held()
    must("cmkctl", "release", "--all")
    must("systemctl", "disable", "--now", AGENT, *SOCKETS)
    must("/usr/libexec/cmk-holder", "dissolve")
    must("systemctl", "stop", "cmk.slice", "cmkpart.slice")
    must("systemctl", "stop", SERVICE)
    must("systemctl", "daemon-reload")
    same(machine.allowed(held.pid), online(), "where the program may run")
    same(held.end(), 0, "exit status")
    same(shutil.which("cmkctl"), None, "cmkctl")
    check(not exists(AGENT), "the unit is gone")
    eventually(lambda: not list(CGROUP.glob("cmk*")), "the cgroups are gone")
    same(effective(""), online(), "CPUs of everybody")
    same(run("pgrep", "-l", "cmk-").out, "", "processes of CMK")


def test_merged_by_hand_it_starts_nothing_by_itself() -> None:
    must("systemctl", "start", SERVICE)
    check(not is_active(AGENT), "the agent is not enabled and does not run")
    same(cmkctl("status").code, 5, "exit status without an agent")
    must("systemctl", "enable", "--now", AGENT, *SOCKETS)
    must_serve()
    must_isolate()
