# SPDX-License-Identifier: Apache-2.0
"""CMK as the tests use it: packages, pools, leases, programs that hold one, events."""

import json
import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import machine
from framework import Skip
from machine import (
    CGROUP,
    PATIENCE,
    Outcome,
    check,
    command_as,
    cpus_of,
    effective,
    eventually,
    exists,
    has_remote_partitions,
    is_active,
    journal,
    must,
    partition,
    read,
    run,
    same,
    write,
)

PAYLOAD = Path(__file__).resolve().parent.parent
AGENT = "cmk-agent.service"
HOLDER = "cmk-leases.service"
SOCKETS = ("cmk-agent.socket", "cmk-agent-observe.socket", "cmk-agent-admin.socket")
CONFIG = Path("/etc/cmk-agent/agent.toml.d")
TEST_CONFIG = CONFIG / "90-tests.toml"  # wins over what init writes
STATE = Path("/run/cmk-agent")
BUS = ("org.cmk.Agent1", "/org/cmk/Agent1", "org.cmk.Agent1.Manager")
TOP = "cmk.slice/cmk-leases.service"
LOCAL_TOP = "cmkpart.slice/cmk-leases-partition.service"  # of local partitions, below Linux 6.7
EXCLUSIVE_CORES = 2


# ---- the packages -------------------------------------------------------------------------------


def package_files(directory: str = "packages") -> list[Path]:
    return sorted((PAYLOAD / directory).glob("*.deb"))


def package_names() -> list[str]:
    return [must("dpkg-deb", "--field", file, "Package").strip() for file in package_files()]


def is_installed() -> bool:
    return run("dpkg-query", "-W", "-f", "${db:Status-Status}", "cmk-agent").out == "installed"


def install(directory: str = "packages") -> str:
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends"]
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    return must(*command, *package_files(directory), seconds=300)


# ---- the agent ----------------------------------------------------------------------------------


def cmkctl(*words: str, user: str = "", seconds: float = 2 * PATIENCE) -> Outcome:
    return run("cmkctl", *words, user=user, seconds=seconds)


def data(*words: str) -> Any:
    """What a verb prints as JSON; its exit status does not matter."""
    done = cmkctl(*words, "-o", "json")
    try:
        return json.loads(done.out)
    except ValueError:
        raise AssertionError(f"cmkctl {' '.join(words)}: {done}") from None


def pools() -> dict[str, dict[str, Any]]:
    return {pool["name"]: pool for pool in data("pools")["items"]}


def leases() -> dict[str, dict[str, Any]]:
    return {lease["id"]: lease for lease in data("leases")["items"]}


def pool_cpus(name: str = "exclusive") -> set[int]:
    return cpus_of(pools()[name]["cpus"])


def bus_call(method: str, *arguments: str, user: str = "") -> Outcome:
    return run("busctl", "--system", "call", *BUS, method, *arguments, user=user)


def reload() -> None:
    """Has the agent read its configuration; its answer is an error where that is bad."""
    done = bus_call("Reload", "a{sv}", "0")
    check(done.code == 0, f"Reload: {done.text()}")


def init(exclusive: int = EXCLUSIVE_CORES) -> str:
    """Pools as an administrator makes them. Cores isolated at boot are for counted pools alone."""
    shared = 0 if machine.boot_isolated() else 1
    counts = ("--num-exclusive-cores", str(exclusive), "--num-shared-cores", str(shared))
    return must("cmkctl", "init", *counts, "--yes")


def serve() -> None:
    """The state in which most tests begin: installed, enabled, pools made. Does what is missing."""
    if not is_installed():
        install()
    if not is_active(AGENT):
        run("systemctl", "reset-failed", AGENT, *SOCKETS)
        must("systemctl", "enable", "--now", AGENT, *SOCKETS)
    if pools().get("exclusive", {}).get("cores", 0) == 0:
        init()


def write_pools(exclusive: str, more: str = "") -> None:
    """Pools of the tests' own: `exclusive` and `more` are lines of TOML."""
    shared = "" if machine.boot_isolated() else '[pools.shared]\nkind = "shared"\ncores = 1\n'
    TEST_CONFIG.write_text(
        f'[pools.exclusive]\nkind = "exclusive"\n{exclusive}\n{shared}'
        f'[pools.infra]\nkind = "shared"\ncores = "rest"\n{more}'
    )


def hold_by_partition(cores: int = EXCLUSIVE_CORES, more: str = "") -> None:
    """Pools whose exclusive one is a partition. Newer kernels do so by themselves."""
    serve()
    asked = "" if has_remote_partitions() else 'isolation = "partition"\n'
    write_pools(f"cores = {cores}\n{asked}{more}")
    reload()
    state = partition(pool_partition())
    check("invalid" not in state and state != "member", f"the pool's partition reads {state!r}")


def pool_group() -> str:
    """The cgroup of the exclusive pool, wherever it is held."""
    local = f"{LOCAL_TOP}/exclusive"
    return local if (CGROUP / local).is_dir() else f"{TOP}/exclusive"


def pool_partition() -> str:
    """The cgroup that is the partition: the pool's own, or below Linux 6.7 its slice."""
    return pool_group() if has_remote_partitions() else LOCAL_TOP.partition("/")[0]


def has_partition() -> bool:
    """Is the exclusive pool kept free of others now?"""
    group = pool_partition()
    return (CGROUP / group).is_dir() and partition(group) in ("root", "isolated")


def expected_grade(by_partition: bool) -> str:
    return "B" if by_partition else "C"


# ---- programs that hold a lease -----------------------------------------------------------------


class Reader:
    """Lines of a pipe, each with a deadline."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.fd = pipe.fileno()
        self.buffer = b""
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.fd, selectors.EVENT_READ)

    def line(self, seconds: float = PATIENCE) -> str:
        """Raises EOFError or TimeoutError."""
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            if not self.selector.select(max(0.0, end - time.monotonic())):
                raise TimeoutError(f"no line within {seconds:.0f} s")
            chunk = os.read(self.fd, 65536)
            if not chunk:
                raise EOFError
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode(errors="replace")


class Program:
    """A program that runs beside the test until `end`. What it started stays its own affair."""

    running: list["Program"] = []

    def __init__(self, *command: str, user: str = "") -> None:
        self.process = subprocess.Popen(
            command_as(user, command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.stdin, self.stderr = self.process.stdin, self.process.stderr
        self.reader = Reader(self.process.stdout)
        self.pid = self.process.pid
        Program.running.append(self)

    def line(self, seconds: float = PATIENCE) -> str:
        try:
            return self.reader.line(seconds)
        except EOFError:
            code = self.process.wait(PATIENCE)
            words = self.stderr.read().decode(errors="replace")
            raise AssertionError(f"it ended with status {code}: {words}") from None

    def say(self, text: str) -> None:
        self.stdin.write(text.encode() + b"\n")
        self.stdin.flush()

    def end(self, seconds: float = PATIENCE) -> int:
        """Closes its input, which ends it, and waits. Returns its exit status."""
        self.stdin.close()
        try:
            return self.process.wait(seconds)
        finally:
            self.forget()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.forget()

    def forget(self) -> None:
        if self in Program.running:
            Program.running.remove(self)


HOLD = 'echo "$CMK_LEASE_ID $CMK_CPUS_ASSIGNED"; exec cat'  # ends with its input


class Held(Program):
    """A program in a lease of the pool `exclusive`. Ready when made."""

    def __init__(self, *options: str, script: str = HOLD, user: str = "", pool: str = "exclusive"):
        super().__init__(
            "cmkctl", "isolate", "--pool", pool, *options, "--", "sh", "-c", script, user=user
        )
        self.lease, cpus = self.line().split()
        self.cpus = cpus_of(cpus)

    def group(self) -> str:
        """The lease's cgroup."""
        return machine.group_of(self.pid)

    def facts(self) -> dict[str, Any]:
        """What must not change while it runs, whatever happens to the agent."""
        lease = leases().get(self.lease)
        if lease is None:
            raise AssertionError(f"lease {self.lease} is gone")
        return {
            "cpus": cpus_of(lease["cpus"]),
            "grade": lease["grade"],
            "pid": lease["pid"],
            "group": self.group(),
            "allowed": machine.allowed(self.pid),
            "effective": effective(self.group()),
            "partition": partition(pool_partition()) if has_partition() else "",
        }


def lease_is_gone(lease: str) -> None:
    eventually(lambda: lease not in leases(), f"lease {lease} ends")


def lease_groups() -> list[str]:
    """Cgroups of leases, of every pool, also such as the agent does not know."""
    found = []
    for top in (TOP, LOCAL_TOP):
        for group in (CGROUP / top).glob("*/*/"):
            found.append(str(group.relative_to(CGROUP)))
    return found


def verify(lease: str) -> dict[str, Any]:
    verdicts: list[dict[str, Any]] = data("verify", lease)["items"]
    same(len(verdicts), 1, "number of verdicts")
    return verdicts[0]


def must_hold(held: Held) -> None:
    """The lease is what it claims to be: asked of the agent, and of the kernel."""
    verdict = verify(held.lease)
    check(verdict["passed"], f"verify: {json.dumps(verdict['checks'])}")
    same(machine.allowed(held.pid), held.cpus, "Cpus_allowed_list")
    same(effective(held.group()), held.cpus, "the lease's effective CPUs")
    same(verdict["lease"]["grade"], expected_grade(has_partition()), "grade")


class Monitor(Program):
    """Events as they come, from when this is made."""

    def __init__(self) -> None:
        super().__init__("cmkctl", "monitor", "-o", "json")
        # It says nothing when it listens, so something is made to happen until it is heard.
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            must("cmkctl", "isolate", "--pool", "infra", "--", "true")
            try:
                self.event(seconds=3)
            except TimeoutError:
                continue
            self.drain()
            return
        raise AssertionError("cmkctl monitor shows no event")

    def event(self, seconds: float = PATIENCE) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.line(seconds))["event"]
        return event

    def drain(self) -> None:
        """Takes what belongs to the leases of the start."""
        marker = Held(pool="infra")
        marker.end()
        self.until("lease_removed", marker.lease)

    def until(self, kind: str, lease: str = "") -> list[dict[str, Any]]:
        """Events up to the first of that kind (and lease)."""
        seen = []
        while True:
            try:
                seen.append(self.event())
            except TimeoutError:
                raise AssertionError(f"no event {kind} {lease}; seen: {seen}") from None
            about = seen[-1].get("lease", {}).get("id", "")
            if seen[-1]["kind"] == kind and lease in ("", about):
                return seen


# ---- before, after and about a test -------------------------------------------------------------


def must_have_partitions() -> None:
    serve()
    if not has_remote_partitions():
        raise Skip("this kernel has no remote partitions")


def tidy() -> None:
    """After every test: nothing of it runs on, and the pools are the usual ones."""
    for program in list(Program.running):
        program.kill()
    if not is_installed() or not exists(AGENT):
        return
    if not is_active(AGENT):
        TEST_CONFIG.unlink(missing_ok=True)
        return
    for group in lease_groups():
        write(CGROUP / group / "cgroup.kill", "1")
    for lease in leases().values():
        if lease["container"] and lease["pid"] > 1:  # its runtime did not end it
            with suppress(ProcessLookupError):
                os.kill(lease["pid"], signal.SIGKILL)
    eventually(lambda: not leases(), "all leases end")
    if TEST_CONFIG.exists():
        TEST_CONFIG.unlink()
        reload()
    same(lease_groups(), [], "cgroups of leases left")
    cmkctl("reconcile")  # what a failed test broke shall not fail the next


def group_files() -> list[str]:
    """The cpuset files of what is ours and of what stands beside it."""
    lines = []
    names = ("cpus", "cpus.effective", "cpus.exclusive", "cpus.partition")
    groups = ["", *(each.name for each in CGROUP.glob("*/"))]
    groups += [str(each.relative_to(CGROUP)) for each in CGROUP.glob("cmk*/**/")]
    for group in dict.fromkeys(groups):
        texts = []
        for name in names:
            path = CGROUP / group / f"cpuset.{name}"
            if path.exists():
                texts.append(f"{name}={read(path) or '-'}")
        lines.append(f"{group or '/'}: {' '.join(texts)}")
    return lines


def explain() -> str:
    """What the machine knows about a failure."""
    parts = ["-- cpusets", *group_files()]
    if is_installed():
        parts += ["-- cmkctl status", cmkctl("status", seconds=20).text()]
    parts += ["-- units", run("systemctl", "--no-pager", "list-units", "--all", "cmk*").out]
    parts += ["-- journal", journal(AGENT, HOLDER, "cmk-leases-partition.service")]
    return "\n".join(parts)


