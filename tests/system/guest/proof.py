# SPDX-License-Identifier: Apache-2.0
"""Neighbours: what a leased program feels of a machine that is busy everywhere else."""

import subprocess
import time

import machine
from cmk import Held, Program, data, hold_by_partition
from framework import deadline
from machine import check, must, online, read, run, same

BUSY = "while :; do :; done"
SECONDS = 5


class Stress:
    """Busy loops in every slice, one more than there are CPUs, and some that want the leased ones."""

    def __init__(self, wanted: set[int]) -> None:
        self.units = []
        for slice_name in ("system.slice", "user.slice", "cmk-test.slice"):
            for number in range(len(online()) // 2 + 1):
                unit = f"cmk-stress-{slice_name.partition('.')[0]}-{number}"
                must("systemd-run", f"--slice={slice_name}", f"--unit={unit}", "sh", "-c", BUSY)
                self.units.append(f"{unit}.service")
        # Refused where the lease is a partition: the CPUs are not theirs.
        self.pinned = [
            subprocess.Popen(["taskset", "-c", str(cpu), "sh", "-c", BUSY], stderr=subprocess.DEVNULL)
            for cpu in sorted(wanted)
        ]

    def end(self) -> None:
        for process in self.pinned:
            process.kill()
            process.wait()
        run("systemctl", "stop", *self.units, seconds=60)
        run("systemctl", "reset-failed", *self.units)


def waited(pid: int) -> int:
    """Nanoseconds that it was ready and did not run: its own clock, whatever emulates the machine."""
    return int(read(f"/proc/{pid}/schedstat").split()[1])


@deadline(300)
def test_a_leased_program_does_not_wait_for_others() -> None:
    hold_by_partition(cores=1)
    leased = Held(script=f'echo "$CMK_LEASE_ID $CMK_CPUS_ASSIGNED"; {BUSY}')
    elsewhere = min(online() - leased.cpus)
    beside = Program("taskset", "-c", str(elsewhere), "sh", "-c", f"echo ready; {BUSY}")
    beside.line()
    stress = Stress(leased.cpus)
    try:
        before = (waited(leased.pid), waited(beside.pid))
        time.sleep(SECONDS)
        own, other = waited(leased.pid) - before[0], waited(beside.pid) - before[1]
        machine.note(f"waited for a CPU in {SECONDS} s: leased {own / 1e6:.1f} ms, by taskset {other / 1e6:.1f} ms")
        check(own * 10 <= other, f"at least ten times less: {own} beside {other} ns")
        verdict = data("verify", leased.lease, "--sample", "3")["items"][0]
        switches = [each for each in verdict["checks"] if each["what"] == "switches"]
        same(len(switches), 1, "the check of switches")
        machine.note(switches[0]["evidence"])
        check(" 0 foreign user threads were" in switches[0]["evidence"], switches[0]["evidence"])
        check(switches[0]["passed"], "verify passes")
    finally:
        stress.end()
        beside.kill()
    same(machine.allowed(leased.pid), leased.cpus, "where it may run")


def test_verify_tells_what_else_takes_time_there() -> None:
    hold_by_partition(cores=1)
    held = Held()
    verdict = data("verify", held.lease)["items"][0]
    found = {each["what"]: each for each in verdict["checks"]}
    for what in ("cpuset", "partition", "owner", "affinity", "grade", "neighbours", "siblings",
                 "interrupts", "workqueues", "timer tick"):  # fmt: skip
        check(what in found, f"{what} is among {sorted(found)}")
        check(found[what]["passed"], f"{what}: {found[what]['evidence']}")
    check(verdict["raise"], "it says what would raise the grade")
