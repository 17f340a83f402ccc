# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/examples, each done as its first lines say."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable

import machine
import oci
from cmk import CONFIG, PAYLOAD, Held, Program, leases, pools, reload, serve, verify
from machine import (
    allowed,
    check,
    cpus_of,
    effective,
    eventually,
    has,
    has_remote_partitions,
    is_active,
    main_pid,
    must,
    online,
    run,
    same,
)

EXAMPLES = PAYLOAD / "examples"
POOLS = "60-examples.toml"
UNITS = Path("/etc/systemd/system")
IMAGE = "docker.io/library/busybox:stable"
GENERATOR = Path("/usr/lib/systemd/system-generators/podman-system-generator")


def with_pools(test: Callable[[], None]) -> Callable[[], None]:
    """Decorator: the examples' pools are in force."""

    def run_with_pools() -> None:
        serve()
        shutil.copy(EXAMPLES / POOLS, CONFIG)
        try:
            reload()
            same(pools()["exclusive"]["cores"], 2, "exclusive cores")
            test()
            eventually(lambda: not leases(), "all leases end")
        finally:
            (CONFIG / POOLS).unlink()
            reload()

    run_with_pools.__module__, run_with_pools.__name__ = __name__, test.__name__
    return run_with_pools


def the_lease(what: str) -> dict[str, Any]:
    """The one lease that there is, held as strongly as this machine can."""
    eventually(leases, lambda: f"a lease of {what}: {machine.journal(what)}")
    (lease,) = leases().values()
    same(allowed(lease["pid"]), cpus_of(lease["cpus"]), "where its program may run")
    check(verify(lease["id"])["passed"], "verify")
    same(lease["grade"], "B" if has_remote_partitions() else "C", "grade")
    if has_remote_partitions():
        check(not effective("") & cpus_of(lease["cpus"]), "nobody else may run there")
    return lease


# ---- programs that ask for themselves -----------------------------------------------------------


def must_take_and_give_back(client: str) -> None:
    """It waits for a core, works on that alone, and leaves it."""
    all_cores = Held("--cores", "2")
    program = Program("python3", str(EXAMPLES / client))
    eventually(lambda: pools()["exclusive"]["waiting"] == 1, "it waits")
    same(all_cores.end(), 0, "exit status of who was there first")
    told = re.fullmatch(r"lease (\w+), CPUs (\S+), grade ([A-D])", program.line())
    assert told is not None
    same(len(cpus_of(told[2])), 2, "CPUs of one core")
    same(program.line(), f"works on {sorted(cpus_of(told[2]))}", "where it works")
    has(program.line(), "released")
    same(program.end(), 0, "exit status")


def must_explain_itself(client: str) -> None:
    done = run("python3", EXAMPLES / client, "nosuch")
    same(done.code, 1, "exit status")
    has(done.err, "UnknownPool", "nosuch")
    check("Traceback" not in done.err, "the reason is told in one line")


@with_pools
def test_python_over_dbus() -> None:
    must_take_and_give_back("dbus_client.py")
    must_explain_itself("dbus_client.py")


@with_pools
def test_python_over_varlink() -> None:
    must_take_and_give_back("varlink_client.py")
    must_explain_itself("varlink_client.py")


# ---- services -----------------------------------------------------------------------------------


class Unit:
    """Lays a file or directory of the examples somewhere, and starts the unit."""

    def __init__(self, source: str, target: Path, name: str) -> None:
        self.target, self.name = target / source, name
        target.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (EXAMPLES / source).is_dir() else shutil.copy
        copy(EXAMPLES / source, self.target)

    def __enter__(self) -> "Unit":
        must("systemctl", "daemon-reload")
        must("systemctl", "restart", self.name)
        return self

    def __exit__(self, *_: object) -> None:
        run("systemctl", "stop", self.name)
        run("systemctl", "reset-failed", self.name)
        if self.target.is_dir():
            shutil.rmtree(self.target)
        else:
            self.target.unlink()
        run("systemctl", "daemon-reload")


def talk(port: int, text: str) -> str:
    """What a server on this machine answers."""
    script = (
        "import socket, sys\n"
        f"with socket.create_connection(('127.0.0.1', {port}), 20) as connection:\n"
        f"    connection.sendall({text.encode()!r})\n"
        "    print(connection.recv(4096).decode())"
    )
    return must("python3", "-c", script)


@with_pools
def test_a_service_that_isolates_itself() -> None:
    name = "cmk-example-web.service"
    with Unit(name, UNITS, name):
        lease = the_lease(name)
        same((lease["pid"], lease["place"]), (main_pid(name), "unit"), "whose lease it is")
        check(lease["uid"] != 0, "it does not run as root")
        eventually(lambda: serves(8080), "it serves")
        has(talk(8080, "GET / HTTP/1.0\r\n\r\n"), "200 OK")
        must("systemctl", "restart", name)
        eventually(lambda: lease["id"] not in leases(), "the lease of before ends")
        same(the_lease(name)["pid"], main_pid(name), "whose lease it is")


def serves(port: int) -> bool:
    line = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
    return run("python3", "-c", line).code == 0


@with_pools
def test_a_drop_in_gives_a_service_a_core() -> None:
    name = "redis-server.service"
    must("systemctl", "start", name)
    check(allowed(main_pid(name)) >= effective("system.slice"), "without it, redis runs anywhere")
    with Unit("redis-server.service.d", UNITS, name):
        lease = the_lease(name)
        same((lease["pid"], lease["place"]), (main_pid(name), "unit"), "whose lease it is")
        same(lease["user"], "redis", "its user")
        for thread in Path(f"/proc/{lease['pid']}/task").iterdir():
            same(allowed(int(thread.name)), cpus_of(lease["cpus"]), "where its threads may run")
        has(talk(6379, "PING\r\n"), "+PONG")
        check(is_active(name), "systemd takes it for started")


# ---- containers ---------------------------------------------------------------------------------


def load_image() -> None:
    """A stand-in for the image that the examples name: there is no network here."""
    if run("podman", "image", "exists", IMAGE).code == 0:
        return
    archive = oci.WORK / "busybox.tar"
    must("tar", "-C", oci.make_root("static"), "-cf", archive, ".")
    must("podman", "import", archive, IMAGE, seconds=120)


@with_pools
def test_a_quadlet() -> None:
    check(GENERATOR.exists(), "the image has a generator of quadlets; its log tells why not")
    load_image()
    name = "cmk-example.service"
    with Unit("cmk-example.container", Path("/etc/containers/systemd"), name):
        lease = the_lease(name)
        check(lease["container"], "it is a container")
        same(lease["place"], "child", "place")
        has(must("podman", "ps"), IMAGE)
        check(is_active(name), "the unit runs")


@with_pools
def test_a_pod() -> None:
    """The pod as a cluster gets it, by podman's kubelet; tests/kube has it checked by a server."""
    load_image()
    file = str(EXAMPLES / "pod.yaml")
    try:
        must("podman", "kube", "play", "--network=none", file, seconds=180)
        lease = the_lease("podman")
        check(lease["container"], "it is a container")
        same((lease["uid"], lease["place"]), (65534, "child"), "whose lease it is")
    finally:
        done = subprocess.run(["podman", "kube", "down", file], capture_output=True, timeout=120)
        same(done.returncode, 0, f"exit status of podman kube down ({done.stderr!r})")
    check(not effective("") - online(), "nothing is lost")
