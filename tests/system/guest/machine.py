# SPDX-License-Identifier: Apache-2.0
"""What the tests see of the machine and do to it: programs, units, cgroup files, processes."""

import os
import subprocess
import time
from pathlib import Path
from typing import Callable, NamedTuple

CGROUP = Path("/sys/fs/cgroup")
PATIENCE = 60.0  # seconds for what takes milliseconds on real hardware

# Set by the runner.
FULL = False
note: Callable[[str], None] = print


# ---- what is compared ---------------------------------------------------------------------------


def same(found: object, wanted: object, what: str = "") -> None:
    if found != wanted:
        raise AssertionError(f"{what or 'value'} is {found!r}, not {wanted!r}")


def has(text: str, *parts: str) -> None:
    """All parts are in the text, in upper or lower case."""
    for part in parts:
        if part.lower() not in text.lower():
            raise AssertionError(f"no {part!r} in: {text.strip()!r}")


def check(condition: object, what: str) -> None:
    if not condition:
        raise AssertionError(what)


def eventually(
    condition: Callable[[], object], what: str | Callable[[], str], seconds: float = PATIENCE
) -> None:
    """Waits for what has no event of its own. What costs a program to tell is told at the end."""
    end = time.monotonic() + seconds
    while True:
        trouble = ""
        try:
            if condition():
                return
        except OSError as problem:  # what it looks at may come or go just now
            trouble = f" ({problem})"
        if time.monotonic() > end:
            told = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds:.0f} s: {told}{trouble}")
        time.sleep(0.1)


# ---- programs -----------------------------------------------------------------------------------


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    def text(self) -> str:
        return self.out + self.err


def command_as(user: str, command: tuple[str | Path, ...]) -> list[str]:
    words = [str(word) for word in command]
    as_user = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"]
    return as_user + words if user else words


def run(*command: str | Path, user: str = "", seconds: float = 2 * PATIENCE) -> Outcome:
    """Runs a program to its end, whatever that is."""
    done = subprocess.run(
        command_as(user, command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=seconds,
    )
    texts = (done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    return Outcome(done.returncode, *texts)


def must(*command: str | Path, user: str = "", seconds: float = 2 * PATIENCE) -> str:
    """Runs a program that has to succeed; returns its output."""
    done = run(*command, user=user, seconds=seconds)
    if done.code != 0:
        words = " ".join(str(word) for word in command)
        raise AssertionError(f"{words}: exit status {done.code}\n{done.text()}")
    return done.out


# ---- systemd ------------------------------------------------------------------------------------


def unit(name: str, what: str) -> str:
    """A property of a unit, as systemctl show tells it."""
    return must("systemctl", "show", "--property", what, "--value", name).strip()


def is_active(name: str) -> bool:
    return unit(name, "ActiveState") == "active"


def exists(name: str) -> bool:
    return unit(name, "LoadState") == "loaded"


def main_pid(name: str) -> int:
    return int(unit(name, "MainPID"))


def journal(*units: str, lines: int = 60) -> str:
    run("journalctl", "--sync")
    words = [word for each in units for word in ("-u", each)]
    return run("journalctl", "--no-pager", "-o", "short-monotonic", "-n", str(lines), *words).out


# ---- files of the kernel ------------------------------------------------------------------------


def read(path: str | Path) -> str:
    return Path(path).read_text().strip()


def write(path: str | Path, text: str) -> None:
    """One write(2), as cgroup files want it. Raises OSError as the kernel answers."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def cpus_of(cpulist: str) -> set[int]:
    """The CPUs of "0-3,8"."""
    cpus: set[int] = set()
    for part in filter(None, cpulist.strip().split(",")):
        first, _, last = part.partition("-")
        cpus |= set(range(int(first), int(last or first) + 1))
    return cpus


def list_of(cpus: set[int]) -> str:
    """The other way round: "0,1,2,3,8"."""
    return ",".join(str(cpu) for cpu in sorted(cpus))


def effective(group: str | Path) -> set[int]:
    """CPUs that the kernel gives a cgroup; `group` is below the hierarchy's root, "" the root."""
    return cpus_of(read(CGROUP / group / "cpuset.cpus.effective"))


def partition(group: str | Path) -> str:
    return read(CGROUP / group / "cpuset.cpus.partition")


def group_of(pid: int) -> str:
    """The cgroup of a process, below the hierarchy's root."""
    for line in read(f"/proc/{pid}/cgroup").splitlines():
        if line.startswith("0::/"):
            return line.removeprefix("0::/")
    raise AssertionError(f"process {pid} has no cgroup")


def members(group: str | Path) -> list[int]:
    return [int(word) for word in read(CGROUP / group / "cgroup.procs").split()]


def allowed(pid: int) -> set[int]:
    """Where the process may run."""
    for line in read(f"/proc/{pid}/status").splitlines():
        if line.startswith("Cpus_allowed_list:"):
            return cpus_of(line.partition(":")[2])
    raise AssertionError(f"process {pid} says nothing about its CPUs")


def is_running(pid: int) -> bool:
    try:
        return read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def cpuset_files() -> dict[str, str]:
    """What every cgroup's cpuset files say: path -> text."""
    found: dict[str, str] = {}
    # os.walk passes over groups that go meanwhile; Path.rglob does not.
    for group, _, files in os.walk(CGROUP):
        for path in (Path(group, name) for name in files if name.startswith("cpuset.")):
            try:
                found[str(path.relative_to(CGROUP))] = read(path)
            except OSError:
                continue  # so has this
    return found


def online() -> set[int]:
    return cpus_of(read("/sys/devices/system/cpu/online"))


def boot_isolated() -> set[int]:
    return cpus_of(read("/sys/devices/system/cpu/isolated"))


def has_remote_partitions() -> bool:
    """Linux 6.7 and newer: a partition may stand anywhere in the tree. Told once the agent runs:
    before, no group may have cpuset files."""
    return any(CGROUP.glob("*/cpuset.cpus.exclusive"))
