# SPDX-License-Identifier: Apache-2.0
"""Who may: root, a user in group cmk, and one who is in no group at all."""

import functools

import machine
from bus import client
from bus_listener import CLIENT
from cmk import Held, cmkctl, leases, must_hold, reload, serve, write_pools
from machine import check, has, must, read, run, same, unit

MEMBER, STRANGER = "cmk-member", "cmk-stranger"


@functools.cache
def make_users() -> None:
    """Once installed, there is a group cmk."""
    for user in (MEMBER, STRANGER):
        must("useradd", "--user-group", "--no-create-home", "--shell", "/bin/sh", user)
    must("usermod", "--append", "--groups", "cmk", MEMBER)


def open_to_group() -> None:
    serve()
    make_users()
    write_pools('cores = 2\nallow_groups = ["cmk"]')
    reload()


def test_installing_made_the_group_and_no_member() -> None:
    serve()
    group = must("getent", "group", "cmk").strip()
    check(group.endswith(":"), f"group cmk has no members: {group}")


def test_a_user_in_the_group_leases() -> None:
    open_to_group()
    held = Held(user=MEMBER)
    same(leases()[held.lease]["user"], MEMBER, "user of the lease")
    must_hold(held)
    same(cmkctl("release", held.lease, user=MEMBER).code, 0, "exit status of its release")


def test_another_user_is_refused_with_the_reason() -> None:
    open_to_group()
    done = cmkctl("isolate", "--pool", "exclusive", "--", "true", user=STRANGER)
    same(done.code, 125, "exit status")
    has(done.err, "may not lease", "exclusive", "group cmk")
    same(leases(), {}, "leases")


def test_a_pool_that_names_nobody_is_roots_alone() -> None:
    serve()
    make_users()
    done = cmkctl("isolate", "--pool", "exclusive", "--", "true", user=MEMBER)
    same(done.code, 125, "exit status")
    has(done.err, "may not lease", "allow_groups")


def test_users_see_but_do_not_touch_what_is_not_theirs() -> None:
    open_to_group()
    held = Held()
    has(must("cmkctl", "leases", user=STRANGER), held.lease)
    must("cmkctl", "status", user=STRANGER)
    must("cmkctl", "verify", user=STRANGER)
    for user in (MEMBER, STRANGER):
        done = cmkctl("release", held.lease, user=user)
        same(done.code, 4, "exit status")
        has(done.err, "not yours")
        init = ("init", "--num-exclusive-cores", "1", "--num-shared-cores", "0", "--yes")
        same(cmkctl(*init, user=user).code, 4, "exit status of init")
        same(cmkctl("reconcile", user=user).code, 4, "exit status of reconcile")
    check(held.lease in leases(), "the lease is there")


def test_the_bus_asks_polkit_and_refuses() -> None:
    """Nobody is there who could answer an administrator's question."""
    open_to_group()
    for words in (("isolate", "exclusive", "1"), ("release", "nothing")):
        error = client(*words, user=STRANGER)
        check("error" in error, f"{words} was answered with {error}")
    error = client("isolate", "exclusive", "1", user=STRANGER)
    has(error["error"], "NotPermitted")
    found, _ = client("list", user=STRANGER)
    names = {pool["name"] for pool in found} - {"shared"}
    same(names, {"exclusive", "infra"}, "pools that everybody sees")


def test_the_bus_serves_a_user_in_the_group() -> None:
    open_to_group()
    program = machine.run(CLIENT, "isolate", "exclusive", "1", user=MEMBER)
    has(program.out, '"grade"')


def test_a_stranger_cannot_take_the_bus_name() -> None:
    serve()
    make_users()
    script = (
        "import dbus; bus = dbus.SystemBus(); "
        "bus.request_name('org.cmk.Agent1', dbus.bus.NAME_FLAG_REPLACE_EXISTING)"
    )
    done = run("python3", "-c", script, user=STRANGER)
    check(done.code != 0, "it got the name")
    has(done.err, "AccessDenied")


def test_state_is_roots_alone() -> None:
    serve()
    make_users()
    held = Held()
    check(run("ls", "/run/cmk-agent", user=MEMBER).code != 0, "the state is not to be read")
    done = run("test", "-w", "/run/cmk-admin/agent.sock", user=MEMBER)
    check(done.code != 0, "the admin socket is not writable")
    same(unit("cmk-agent-admin.socket", "SocketMode"), "0600", "mode of the admin socket")
    check(read(f"/proc/{held.pid}/comm") == "cat", "the program runs")
