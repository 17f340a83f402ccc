# SPDX-License-Identifier: Apache-2.0
"""The packages go one version up and down under fifty live leases, and the state's format too."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import machine
import state_files
from bus_listener import Listener
from cmk import (
    AGENT,
    CONFIG,
    EXCLUSIVE_CORES,
    HOLD,
    HOLDER,
    Held,
    Monitor,
    Program,
    cmkctl,
    hold_by_partition,
    install,
    leases,
    must_hold,
    package_files,
    pools,
    serve,
)
from framework import deadline
from machine import allowed, check, effective, eventually, has, main_pid, must, run, same, unit
from restart import holder_facts

LEASES = 50
SOME = 12  # where it is about the format of one lease's state


def crowd(count: int = LEASES) -> list[Held]:
    """So many leases, all exclusive cores among them."""
    hold_by_partition()
    # With isolcpus= the shared pool has no core.
    shared = [name for name in ("shared", "infra") if pools().get(name, {}).get("cores", 0) > 0]
    wanted = ["exclusive"] * EXCLUSIVE_CORES
    wanted += [shared[number % len(shared)] for number in range(count - len(wanted))]
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(lambda pool: Held(pool=pool), wanted))


def kernel_facts(programs: list[Held]) -> dict[str, Any]:
    """Where the programs are and may run, whether an agent is there or not."""
    return {
        held.lease: (held.process.poll(), held.group(), allowed(held.pid), effective(held.group()))
        for held in programs
    }


def facts(programs: list[Held]) -> dict[str, Any]:
    """What must not change while they run."""
    known = leases()
    same(sorted(known), sorted(held.lease for held in programs), "leases")
    return {"agent": known, "kernel": kernel_facts(programs)}


class Sampling:
    """Looks all the time where the programs may run; a move and back would show."""

    def __init__(self, programs: list[Held]) -> None:
        self.programs = programs
        self.moved: list[str] = []
        self.rounds = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self) -> None:
        while not self.stop.wait(0.2):
            for held in self.programs:
                found = allowed(held.pid)
                if found != held.cpus:
                    self.moved.append(f"{held.lease}: {found} instead of {held.cpus}")
            self.rounds += 1

    def __enter__(self) -> "Sampling":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()


def is_about(signal: list[Any], known: dict[str, Any]) -> bool:
    return any(isinstance(word, str) and word in known for word in signal)


def through(change: Callable[[], object]) -> None:
    """The change moves no lease, nobody hears of one that ends, and whoever waits is served."""
    programs = crowd()
    queued = Program(
        *("cmkctl", "isolate", "--pool", "exclusive", "--wait", "--", "sh", "-c", HOLD)
    )
    eventually(lambda: pools()["exclusive"]["waiting"] == 1, "one request waits")
    monitor = Monitor()
    old, units, before = main_pid(AGENT), holder_facts(), facts(programs)
    with Sampling(programs) as sampling, Listener() as listener:
        change()
        eventually(lambda: main_pid(AGENT) not in (0, old), "another agent serves")
        same(facts(programs), before, "the leases")
        same(holder_facts(), units, "holder and sockets")
        marker = Held(pool="infra")
        listener.until("LeaseAdded", marker.lease)
    same(sampling.moved, [], "moves")
    check(sampling.rounds >= 3, f"it looked {sampling.rounds} times")
    about = [each for each in listener.seen if is_about(each, before["agent"])]
    same(about, [], "signals about the leases")
    must_hold(programs[0])
    programs[0].end()
    lease = queued.line().split()[0]
    same(leases()[lease]["pool"], "exclusive", "pool of the lease that waited")
    monitor.until("lease_added", lease)
    monitor.kill()
    has(monitor.stderr.read().decode(), "the agent was restarted")


def installed_version() -> str:
    return must("dpkg-query", "-W", "-f", "${Version}", "cmk-agent")


def version_of(directory: str) -> str:
    return must("dpkg-deb", "--field", package_files(directory)[0], "Version").strip()


@deadline(800)
def test_an_upgrade_moves_none_of_fifty_leases() -> None:
    through(lambda: install("upgrade"))
    same(installed_version(), version_of("upgrade"), "installed version")
    same(unit(AGENT, "UnitFileState"), "enabled", AGENT)


@deadline(600)
def test_needrestart_leaves_leased_programs_alone() -> None:
    """The holder runs a file that the upgrade replaced, and a leased program one that is gone."""
    serve()
    if installed_version() != version_of("upgrade"):
        install("upgrade")
    program = Path("/opt/cmk-outdated")
    shutil.copy("/bin/sleep", program)
    # Without a parent: for that one it would be told to restart the parent's unit, these tests.
    out = must(
        *("cmkctl", "isolate", "--pool", "exclusive", "--", "sh", "-c"),
        f'setsid {program} infinity </dev/null >/dev/null 2>&1 & echo "$! $CMK_LEASE_ID"',
    )
    pid, lease = int(out.split()[0]), out.split()[1]
    eventually(lambda: os.readlink(f"/proc/{pid}/exe") == str(program), "it runs")
    program.unlink()
    holder, before = holder_facts(), (machine.group_of(pid), allowed(pid))
    quiet = Path("/etc/needrestart/conf.d/90-cmk-tests.conf")
    quiet.write_text("$nrconf{override_rc}{qr(^cmk-tests)} = 0;\n")
    try:
        found = must("needrestart", "-b", "-l", seconds=300)
        has(found, f"NEEDRESTART-SVC: {HOLDER}")
        done = run("needrestart", "-l", "-r", "a", seconds=300)
    finally:
        quiet.unlink()
    has(done.text(), "refused by systemd", HOLDER)
    same(holder_facts(), holder, "holder and sockets")
    same((machine.group_of(pid), allowed(pid)), before, "the leased program")
    check(lease in leases(), "the lease is there")
    must("cmkctl", "release", lease)
    must("kill", str(pid))


def test_nobody_restarts_the_holder_by_name() -> None:
    serve()
    before = holder_facts()
    for verb in ("restart", "stop", "try-restart"):
        done = run("systemctl", verb, HOLDER)
        check(done.code != 0, f"systemctl {verb} {HOLDER} was not refused")
    same(holder_facts(), before, "holder and sockets")


@deadline(800)
def test_a_downgrade_moves_none_of_fifty_leases() -> None:
    """One whose administrator has used what only the later version knows."""
    later = CONFIG / "95-later.toml"

    def downgrade() -> None:
        later.write_text("[agent]\nadded_later = true\n")
        packages = package_files()
        must("apt-get", "install", "-y", "-q", "--allow-downgrades", *packages, seconds=300)
        has(cmkctl("status").text(), "added_later", "the earlier one stays")

    try:
        through(downgrade)
    finally:
        later.unlink(missing_ok=True)
    same(installed_version(), version_of("packages"), "installed version")
    must("systemctl", "reload", AGENT)
    check("added_later" not in cmkctl("status").text(), "the configuration is taken again")


def stop_agent() -> None:
    must("systemctl", "stop", AGENT)


@deadline(600)
def test_state_of_the_next_format_is_taken_up() -> None:
    programs = crowd(SOME)
    before = facts(programs)
    stop_agent()
    # An agent that is killed while it writes an intent leaves a part of one, for the next to set aside.
    aside = state_files.set_aside()
    state_files.rewrite(2)
    must("systemctl", "start", AGENT)
    same(facts(programs), before, "the leases")
    same(state_files.set_aside(), aside, "files set aside")
    must("systemctl", "restart", AGENT)  # what is of two formats by now
    same(facts(programs), before, "the leases")


@deadline(600)
def test_state_of_a_format_too_far_away_is_refused_and_kept() -> None:
    programs = crowd(SOME)
    before, there = facts(programs), kernel_facts(programs)
    stop_agent()
    state_files.rewrite(3)
    files = state_files.names()
    check(run("systemctl", "start", AGENT).code != 0, "the agent starts")
    has(machine.journal(AGENT), "its format is version 3", "install the version of cmk-agent")
    same(kernel_facts(programs), there, "the leased programs")
    same(state_files.names(), files, "state files")
    run("systemctl", "stop", AGENT)
    state_files.rewrite(1)
    must("systemctl", "start", AGENT)
    same(facts(programs), before, "the leases")
