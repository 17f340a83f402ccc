# SPDX-License-Identifier: Apache-2.0
"""The RPM packages, before the Debian ones come: in a root of its own, where whatever their
scriptlets call is written down, and then on this machine, under a program that holds a lease."""

import os
import shutil
import stat
from pathlib import Path

import machine
from cmk import (
    AGENT,
    PAYLOAD,
    SOCKETS,
    Held,
    init,
    is_installed,
    must_hold,
)
from framework import Skip, deadline
from machine import (
    CGROUP,
    check,
    cpuset_files,
    eventually,
    is_active,
    is_running,
    must,
    online,
    run,
    same,
    unit,
)
from traces import before_install, differences, etc_files

ROOT = Path("/var/tmp/cmk-rpm-root")
DATABASE = "/var/lib/cmk-rpm"  # Debian's rpm has none that would be everybody's
PACKAGES = ("cmk-agent", "cmkctl", "cmk-k8s", "cmk-devel")
UNITS = (AGENT, *SOCKETS, "cmk-metrics.service")

# What scriptlets may expect in a root.
APPLETS = ("sh", "cp", "find", "rm", "rmdir", "timeout")
RECORDED = (
    "systemctl", "systemd-sysusers", "systemd-tmpfiles", "journalctl", "semodule",
    "selinuxenabled", "load_policy", "fixfiles",
)  # fmt: skip
RECORDER = '#!/bin/sh\necho "${0##*/}${*:+ $*}" >>/calls\n'

# Whatever else the packages need has to be a library, which rpmbuild has found by itself.
NEEDED = (
    "/bin/sh", "coreutils", "dbus", "findutils", "selinux-policy-targeted", "systemd >= 252",
    "rtld(GNU_HASH)",
)  # fmt: skip


# It says so from 4.20 on, whatever the package.
OF_RPM_ITSELF = ("warning: private mounts in chroot not implemented",)


def rpm(*words: str | Path, root: Path = Path("/")) -> str:
    """What it warns of counts as failure: a scriptlet's failure is no more to rpm."""
    done = run("rpm", "--root", root, "--dbpath", DATABASE, *words, seconds=300)
    said = [each for each in done.err.splitlines() if each not in OF_RPM_ITSELF]
    complaints = [each for each in said if each.startswith(("error", "warning"))]
    check(done.code == 0 and not complaints, f"rpm {words[0]}: {done}")
    return done.out


def files(names: tuple[str, ...], directory: str = "rpms") -> list[Path]:
    found = [each for name in names for each in (PAYLOAD / directory).glob(f"{name}-[0-9]*.rpm")]
    same(len(found), len(names), f"packages in {directory}")
    return found


# ---- in a root of its own -----------------------------------------------------------------------


def make_root() -> None:
    shutil.rmtree(ROOT, ignore_errors=True)
    labels = "etc/selinux/targeted/contexts/files"
    for name in ("bin", "dev", labels, "usr/bin", "var/lib/rpm-state"):
        (ROOT / name).mkdir(parents=True)
    os.mknod(ROOT / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (ROOT / labels / "file_contexts").touch()
    shutil.copy("/bin/busybox", ROOT / "bin/busybox")
    for name in APPLETS:
        (ROOT / "bin" / name).symlink_to("busybox")
    for name in RECORDED:
        recorder = ROOT / "usr/bin" / name
        recorder.write_text(RECORDER)
        recorder.chmod(0o755)


def calls() -> list[str]:
    """What was called since this was asked before."""
    record = ROOT / "calls"
    lines = record.read_text().splitlines() if record.exists() else []
    record.write_text("")
    return lines


# The calls of each package's scriptlets, in their order.
AS_ITS_FILES_SAY = [
    "systemd-sysusers cmk.conf",
    "systemd-tmpfiles --create cmk.conf",
    "journalctl --update-catalog",
]
POLICY = "semodule -n -s targeted -X 200"
NEW_POLICY = [
    "selinuxenabled",
    f"{POLICY} -i /usr/share/selinux/packages/targeted/cmk.pp.bz2",
    "selinuxenabled",
    "load_policy",
    "selinuxenabled",
    "fixfiles -C /var/lib/rpm-state/file_contexts.pre restore",
]
INSTALLING = {
    "cmkctl": [],
    "cmk-agent": [f"systemctl --no-reload preset {' '.join(UNITS)}", *AS_ITS_FILES_SAY],
    "cmk-k8s": ["systemctl --no-reload preset cmk-k8s.service cmk-k8s.path"],
    "cmk-devel": [],
    "cmk-selinux": NEW_POLICY,
}
UPGRADING = {
    "cmkctl": [],
    "cmk-agent": [
        *AS_ITS_FILES_SAY,
        "systemctl daemon-reload",
        f"systemctl try-restart {AGENT} cmk-metrics.service",
    ],
    "cmk-k8s": ["systemctl daemon-reload", "systemctl try-restart cmk-k8s.service"],
    "cmk-devel": [],
    "cmk-selinux": NEW_POLICY,
}
ERASING = {
    "cmk-selinux": [f"{POLICY} -r cmk", "selinuxenabled", "load_policy"],
    "cmk-agent": [
        f"systemctl --quiet is-active {AGENT}",
        f"systemctl stop {' '.join(SOCKETS)} cmk-agent-uevent.socket {AGENT}",
        "systemctl stop cmk.slice cmkpart.slice",
        f"systemctl --no-reload disable --now {' '.join(UNITS)}",
        "systemctl daemon-reload",
    ],
    "cmk-k8s": [
        "systemctl --no-reload disable --now cmk-k8s.service cmk-k8s.path",
        "systemctl daemon-reload",
    ],
    "cmk-devel": [],
    "cmkctl": [],
}
ALL = tuple(INSTALLING)


def test_installing_starts_nothing() -> None:
    make_root()
    for name, wanted in INSTALLING.items():
        rpm("--install", "--nodeps", *files((name,)), root=ROOT)
        same(calls(), wanted, f"calls when {name} is installed")
    same(rpm("--verify", "--nodeps", *ALL, root=ROOT), "", "rpm --verify")


def test_what_is_needed_has_a_name() -> None:
    """The packages need each other, libraries, and little else."""
    done = run("rpm", "--root", ROOT, "--dbpath", DATABASE, "--verify", "--nofiles", *ALL)
    needs = [line.strip() for line in done.text().splitlines() if " is needed by " in line]
    check(needs, f"nothing is needed, in an empty root: {done}")
    names = {line.partition(" is needed by ")[0] for line in needs}
    same(sorted(name for name in names if ".so." not in name and name not in NEEDED), [], "needs")


def test_upgrading_restarts_the_agent_alone() -> None:
    for name, wanted in UPGRADING.items():
        rpm("--upgrade", "--nodeps", *files((name,), "rpm-upgrade"), root=ROOT)
        same(calls(), wanted, f"calls when {name} is upgraded")
    same(set(rpm("--query", "--qf", "%{RELEASE}\n", *ALL, root=ROOT).split()), {"2"}, "release")
    same(rpm("--verify", "--nodeps", *ALL, root=ROOT), "", "rpm --verify")


def test_erasing_stops_everything_and_leaves_nothing() -> None:
    pools, socket = ROOT / "etc/cmk-agent/agent.toml.d/50-init.toml", ROOT / "etc/cmk/agent.sock"
    for path in (pools, socket, ROOT / "run/systemd/system/any.service"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name, wanted in ERASING.items():
        rpm("--erase", name, root=ROOT)
        same(calls(), wanted, f"calls when {name} is erased")
    same([str(path) for path in (ROOT / "usr").rglob("*cmk*")], [], "left in /usr")
    check(not socket.exists(), "the socket in the original's directory is gone")
    check(pools.exists(), "the configuration is kept")
    shutil.rmtree(ROOT)


# ---- on this machine ----------------------------------------------------------------------------


@deadline(600)
def test_a_lease_survives_an_upgrade_and_ends_with_the_packages() -> None:
    check(not is_installed(), "the Debian packages come later")
    must_have_libraries()
    try:
        same(rpm("--install", "--nodeps", *files(PACKAGES)), "", "rpm --install")
        must_be_untouched()
        must("systemctl", "enable", "--now", AGENT)
        init()
        held = Held()
        must_hold(held)
        before, agent = held.facts(), machine.main_pid(AGENT)
        rpm("--upgrade", "--nodeps", *files(PACKAGES, "rpm-upgrade"))
        check(machine.main_pid(AGENT) != agent, "the agent was restarted")
        same(held.facts(), before, "the lease after the upgrade")
        relabel()
        must_hold(held)
        same(rpm("--verify", "--nodeps", *PACKAGES), "", "rpm --verify")
    finally:
        erase()
    check(is_running(held.pid), "the program runs on")
    same(machine.allowed(held.pid), online() - machine.boot_isolated(), "where it may run")
    same(held.end(), 0, "its exit status")
    must_be_as_before()


def must_have_libraries() -> None:
    """The packages are made on one release of Debian, and this may be another."""
    there = must("ldconfig", "-p")
    needed = must("rpm", "--query", "--requires", "--package", *files(("cmk-agent", "cmk-k8s")))
    names = {line.partition("(")[0] for line in needed.splitlines() if ".so." in line}
    if missing := sorted(name for name in names if f"{name} " not in there):
        raise Skip(f"this release has no {', '.join(missing)}")


def relabel() -> None:
    """New sockets, as docs/packages.md says for a policy that comes later."""
    must("systemctl", "stop", *SOCKETS, AGENT)
    must("systemctl", "start", AGENT)
    for name in SOCKETS:
        check(is_active(name), f"{name} is active")


def must_be_untouched() -> None:
    for name in (*UNITS, "cmk-k8s.service"):
        same(unit(name, "ActiveState"), "inactive", name)
        same(unit(name, "UnitFileState"), "disabled", name)
    same(differences(before_install().cpusets, cpuset_files()), [], "changed cpusets")


def erase() -> None:
    """With what docs/packages.md says that erasing leaves."""
    rpm("--erase", *PACKAGES)
    for name in ("/etc/cmk-agent", "/etc/cmk", "/run/cmk-agent", DATABASE):
        shutil.rmtree(name, ignore_errors=True)


def must_be_as_before() -> None:
    same(run("pgrep", "-l", "cmk").out, "", "processes of CMK")
    eventually(lambda: not list(CGROUP.glob("cmk*")), "the cgroups of CMK are gone")
    same(differences(before_install().cpusets, cpuset_files()), [], "changed cpusets")
    units = run("systemctl", "list-unit-files", "--no-legend", "cmk-agent*", "cmk-k8s*").out
    same(units, "", "units")
    changed = set(etc_files().items()) ^ set(before_install().etc.items())
    same(sorted(path for path, _ in changed), [], "changed in /etc")
