# SPDX-License-Identifier: Apache-2.0
"""Leases of containers: held in the container's own cgroup, by the strongest there is."""

import itertools
import pwd
import threading
from pathlib import Path
from typing import Protocol

import machine
import oci
from cmk import (
    AGENT,
    Held,
    Program,
    cmkctl,
    hold_by_partition,
    lease_is_gone,
    leases,
    pool_cpus,
    pools,
    serve,
    verify,
)
from framework import deadline
from machine import (
    CGROUP,
    allowed,
    check,
    effective,
    eventually,
    has,
    has_remote_partitions,
    must,
    online,
    partition,
    read,
    run,
    same,
)
from oci import Container, remains

RUNTIMES = ("runc", "crun")
DRIVERS = (True, False)


class Leased(Protocol):
    """A container with a lease, of whatever runtime."""

    lease: str
    cpus: set[int]
    pod_group: str  # above its own cgroup

    def leaf(self) -> str: ...

    def init(self) -> int: ...


def threads_of(group: str) -> set[int]:
    return {int(word) for word in read(CGROUP / group / "cgroup.threads").split()}


def must_be_held(container: Leased) -> None:
    """The lease is where it should be and what it claims to be: the kernel's own files."""
    leaf = container.leaf()
    group = f"{leaf}/cmk-{container.lease}"
    check((CGROUP / group).is_dir(), f"{group} is there")
    same(read(CGROUP / group / "cgroup.type"), "threaded", "type of the group")
    check(container.init() in threads_of(group), "the program is in it")
    same(allowed(container.init()), container.cpus, "Cpus_allowed_list")
    same(effective(group), container.cpus, "effective CPUs")
    verdict = verify(container.lease)
    check(verdict["passed"], f"verify: {verdict['checks']}")
    grade = "B" if has_remote_partitions() else "C"
    same(verdict["lease"]["grade"], grade, "grade")
    same(verdict["lease"]["place"], "child", "place")
    if not has_remote_partitions():
        return
    kind = "isolated" if machine.boot_isolated() else "root"
    same(partition(group), kind, "its partition")
    for other in ("", "system.slice", leaf, container.pod_group):
        check(not effective(other) & container.cpus, f"/{other} has none of its CPUs")


def must_be_gone(container: Leased, leaf: str) -> None:
    """Nothing of it is left, and the pool has its CPUs again."""
    lease_is_gone(container.lease)
    eventually(lambda: not remains(leaf), lambda: f"no claim above {leaf}: {remains(leaf)}")
    same(oci.groups_named(f"cmk-{container.lease}"), [], "groups of the lease")
    same(pools()["exclusive"]["free_cores"], pools()["exclusive"]["cores"], "free cores")
    if has_remote_partitions():
        same(effective("cmk.slice/cmk-leases.service/exclusive"), pool_cpus(), "the pool's CPUs")
    check(not effective("") & pool_cpus() or not has_remote_partitions(), "/ has none of them")


def test_a_lease_is_held_in_the_container_by_every_runtime_and_driver() -> None:
    serve()
    for runtime, systemd in itertools.product(RUNTIMES, DRIVERS):
        container = Container(runtime, systemd)
        leaf = container.leaf()
        must_be_held(container)
        same(read(CGROUP / leaf / "memory.max"), str(256 << 20), f"memory limit ({runtime})")
        check(int(read(CGROUP / leaf / "memory.current")) > 0, "memory is charged to it")
        container.end()
        must_be_gone(container, leaf)


def test_any_image_will_do() -> None:
    serve()
    for image in ("scratch", "static", "debian"):
        container = Container(image=image)
        must_be_held(container)
        leaf = container.leaf()
        container.end()
        must_be_gone(container, leaf)


def test_the_runtime_goes_on_managing_its_container() -> None:
    serve()
    for runtime in RUNTIMES:
        container = Container(runtime)
        leaf = container.leaf()
        same(container.execute("/bin/true").code, 0, f"{runtime} exec")
        same(run(runtime, "pause", container.name).code, 0, f"{runtime} pause")
        same(run(runtime, "resume", container.name).code, 0, f"{runtime} resume")
        update = container.call("update")
        same(run(*update, "--memory", str(128 << 20), container.name).code, 0, "update of memory")
        same(read(CGROUP / leaf / "memory.max"), str(128 << 20), "memory limit")
        must_be_held(container)
        container.remove()
        must_be_gone(container, leaf)


def test_a_runtime_that_writes_the_cpuset_does_not_dislodge_it() -> None:
    serve()
    outside = machine.list_of(online() - pool_cpus())
    container = Container()
    for cpus in (outside, outside.split(",")[0], machine.list_of(online())):
        same(run(*container.call("update"), "--cpuset-cpus", cpus, container.name).code, 0, "update")
        if has_remote_partitions():
            must_be_held(container)
    # A plain cpuset follows its container's, and says so.
    if not has_remote_partitions():
        run(*container.call("update"), "--cpuset-cpus", outside, container.name)
        check(not verify(container.lease)["passed"], "verify tells that it does not hold")
        run(*container.call("update"), "--cpuset-cpus", machine.list_of(online()), container.name)
        cmkctl("reconcile")
        must_be_held(container)


def test_what_systemd_does_changes_nothing() -> None:
    serve()
    container = Container()
    must("systemctl", "daemon-reload")
    must("systemctl", "daemon-reexec", seconds=120)
    must_be_held(container)
    host = Held()
    must("systemctl", "set-property", "--runtime", "kubepods.slice", "CPUWeight=50")
    must_be_held(container)
    same(allowed(host.pid), host.cpus, "the host's lease beside it")


def test_a_killed_container_gives_its_cpus_back() -> None:
    serve()
    for runtime in RUNTIMES:
        container = Container(runtime)
        leaf = container.leaf()
        must(runtime, "kill", container.name, "KILL")
        must_be_gone(container, leaf)
        container.remove()


def test_the_agent_killed_and_both_killed() -> None:
    serve()
    container = Container()
    leaf = container.leaf()
    must("systemctl", "kill", "--signal=KILL", AGENT)
    eventually(lambda: cmkctl("pools").code == 0, "the agent is back")
    must_be_held(container)
    must("systemctl", "kill", "--signal=KILL", AGENT)
    container.remove()
    must_be_gone(container, leaf)


def test_the_last_core_goes_to_one_of_all() -> None:
    hold_by_partition(cores=1)
    words = ("isolate", "--pool", "exclusive", "--")
    inside = ("/opt/bin/cmkctl", *words, "/opt/bin/busybox", "sleep", "1000")
    tries: list[Program] = [Container(pod=pod, command=inside, ready=False) for pod in ("a", "b")]
    tries.append(Program("cmkctl", *words, "sleep", "1000"))
    losers: list[Program] = []

    def two_have_lost() -> bool:
        losers[:] = [each for each in tries if each.process.poll() is not None]
        return len(losers) >= 2

    eventually(two_have_lost, "two are refused")
    same(len(losers), 2, "number of those that were refused")
    for each in losers:
        has(each.stderr.read().decode(), "exclusive", "cannot give", "held by")
    same(len(leases()), 1, "leases")
    for each in tries:
        each.kill()


def test_exclusive_and_shared_cores_in_one_container() -> None:
    serve()
    pool = "infra" if machine.boot_isolated() else "shared"
    container = Container()
    other = container.isolate(pool)
    lease, cpus = other.line(60).split()
    same(machine.cpus_of(cpus), pool_cpus(pool), "the shared pool's CPUs")
    pid = leases()[lease]["pid"]
    same(allowed(pid), pool_cpus(pool), "where the second program may run")
    same(leases()[lease]["grade"], "C", "its grade")
    must_be_held(container)
    third = container.isolate("exclusive")
    lease, cpus = third.line(60).split()
    check(not machine.cpus_of(cpus) & container.cpus, "a core of its own")
    third.end()
    lease_is_gone(lease)
    other.end()
    must_be_held(container)


def test_a_lease_inside_a_lease() -> None:
    serve()
    inner = "/opt/bin/cmkctl isolate --pool exclusive -- /opt/bin/busybox sh -c 'echo $CMK_CPUS_ASSIGNED'"
    script = f'echo "$CMK_LEASE_ID $CMK_CPUS_ASSIGNED"; {inner}; exec /opt/bin/busybox cat'
    words = ("/opt/bin/cmkctl", "isolate", "--pool", "exclusive", "--", "/opt/bin/busybox", "sh", "-c")
    container = Container(command=(*words, script))
    inside = machine.cpus_of(container.line(60))
    check(inside and not inside & container.cpus, "the inner one has another core")
    eventually(lambda: len(leases()) == 1, "the inner one ends")
    must_be_held(container)


def test_a_container_has_no_power_but_its_sockets() -> None:
    """Root in the container, another user, a user namespace, the admin socket mounted or not."""
    serve()
    host = Held()
    for options in ({}, {"user": 1000}, {"user_namespace": True}):
        container = Container(**options)  # type: ignore[arg-type]
        must_be_held(container)
        for words in (
            ("release", host.lease),
            ("reconcile",),
            ("init", "--num-exclusive-cores", "1", "--num-shared-cores", "0", "--yes"),
        ):
            done = container.execute("/opt/bin/cmkctl", *words)
            check(done.code != 0, f"{words} is refused ({options}): {done.text()}")
        listed = container.execute("/opt/bin/cmkctl", "leases", "-o", "json").out
        check(host.lease not in listed, "others' leases are not shown")
        container.remove()
        lease_is_gone(container.lease)
    observer = Container(sockets=("/run/cmk", "/run/cmk-observe"))
    seen = observer.execute("/opt/bin/cmkctl", "--socket", "/run/cmk-observe/agent.sock", "leases")
    has(seen.out, host.lease)
    admin = observer.execute("/opt/bin/cmkctl", "--socket", "/run/cmk-observe/agent.sock", "reconcile")
    check(admin.code != 0, "observing is not administering")
    check(host.lease in leases(), "the host's lease is there")


@deadline(600)
def test_leases_come_and_go_in_parallel() -> None:
    """Of host and containers together; nothing is left, and nobody ever shares a core."""
    hold_by_partition(cores=2)
    rounds, failed = 100 if machine.FULL else 10, []

    def churn(words: list[str]) -> None:
        for _ in range(rounds):
            done = run(*words, seconds=120)
            if done.code != 0:
                failed.append(done.text())

    own = "mkdir /tmp/cmk-own-$CMK_CPUS_ASSIGNED || exit 9; rmdir /tmp/cmk-own-$CMK_CPUS_ASSIGNED"
    containers = [Container(pool="infra", pod=pod) for pod in ("a", "b")]
    isolate = ["isolate", "--pool", "exclusive", "--wait=60", "--"]
    lines = [["cmkctl", *isolate, "sh", "-c", own] for _ in range(2)]
    lines += [
        [*c.call("exec"), c.name, "/opt/bin/cmkctl", *isolate, "/opt/bin/busybox", "true"]
        for c in containers
        for _ in range(2)
    ]
    threads = [threading.Thread(target=churn, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(failed, [], "failures")
    leaves = [each.leaf() for each in containers]
    for each in containers:
        each.remove()
    eventually(lambda: not leases(), "all leases end")
    for leaf in leaves:
        same(remains(leaf), {}, "claims left")
    same(pools()["exclusive"]["free_cores"], 2, "free cores")


def test_podman_as_root() -> None:
    serve()
    root = oci.make_root("static")
    oci.make_tools()
    words = ("/opt/bin/cmkctl", "isolate", "--pool", "exclusive", "--", "/bin/sleep", "1000")
    mounts = ("-v", f"{oci.TOOLS}:/opt/bin:ro", "-v", "/run/cmk:/run/cmk:ro")
    name = "cmk-test-podman"
    must("podman", "run", "-d", "--name", name, "--network=none", *mounts, "--rootfs", str(root), *words,
         seconds=120)
    try:
        eventually(lambda: leases(), lambda: f"its lease: {run('podman', 'logs', name).text()}")
        lease = next(iter(leases().values()))
        same(lease["place"], "child", "place")
        cpus = machine.cpus_of(lease["cpus"])
        same(allowed(lease["pid"]), cpus, "where it may run")
        same(lease["grade"], "B" if has_remote_partitions() else "C", "grade")
        same(run("podman", "exec", name, "/bin/true").code, 0, "podman exec")
        check(name in run("podman", "stats", "--no-stream", name, seconds=60).out, "podman stats")
        same(run("podman", "pause", name).code, 0, "podman pause")
        same(run("podman", "unpause", name).code, 0, "podman unpause")
    finally:
        must("podman", "rm", "--force", "--time=1", name, seconds=120)
    eventually(lambda: not leases(), "its lease ends")
    same(pools()["exclusive"]["free_cores"], pools()["exclusive"]["cores"], "free cores")


def as_rootless(user: str, *words: str) -> list[str]:
    uid = pwd.getpwnam(user).pw_uid
    home = {
        "HOME": f"/home/{user}",
        "XDG_RUNTIME_DIR": f"/run/user/{uid}",
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path=/run/user/{uid}/bus",
    }
    return ["env", "-C", f"/home/{user}", *(f"{name}={value}" for name, value in home.items()),
            *machine.command_as(user, words)]  # fmt: skip


@deadline(600)
def test_podman_without_root() -> None:
    """Its cgroups have no cpuset files, as systemd does not delegate these to users: affinity."""
    serve()
    user = "cmk-rootless"
    if run("id", user).code != 0:
        must("useradd", "--create-home", "--shell", "/bin/sh", user)
    uid = pwd.getpwnam(user).pw_uid
    must("systemctl", "start", f"user@{uid}.service", seconds=60)
    root = f"/home/{user}/root"
    if not Path(root).exists():
        oci.make_tools()
        must("cp", "-r", str(oci.make_root("static")), root)
        must("cp", "-r", f"{oci.TOOLS}/.", f"{root}/opt/bin")
        must("chown", "-R", f"{user}:{user}", root)
    words = ("/opt/bin/cmkctl", "isolate", "--pool", "exclusive", "--", "/bin/sleep", "1000")
    name = "cmk-test-rootless"
    start = ("podman", "run", "-d", "--name", name, "--network=none", "-v", "/run/cmk:/run/cmk:ro",
             "--rootfs", root, *words)  # fmt: skip
    must(*as_rootless(user, *start), seconds=180)
    try:
        logs = as_rootless(user, "podman", "logs", name)
        eventually(lambda: leases(), lambda: f"its lease: {run(*logs).text()}")
        lease = next(iter(leases().values()))
        check(lease["container"], "it is a container")
        same((lease["hold"], lease["grade"]), ("affinity", "D"), "how it is held")
        same(allowed(lease["pid"]), machine.cpus_of(lease["cpus"]), "where it may run")
    finally:
        run(*as_rootless(user, "podman", "rm", "--force", "--time=1", name), seconds=120)
        run("systemctl", "stop", f"user@{uid}.service", seconds=60)
    eventually(lambda: not leases(), "its lease ends")
