# SPDX-License-Identifier: Apache-2.0
"""CPUs isolated at boot, to which no interrupt is directed: grade A. Booted as a kind of its own."""

from pathlib import Path

import machine
from cmk import Held, Monitor, cmkctl, hold_by_partition, leases, pool_cpus, verify
from machine import check, eventually, has, must, same

IRQS = Path("/proc/irq")


def interrupts() -> dict[str, set[int]]:
    """Where interrupts that somebody uses come, as the kernel tells."""
    used = [each for each in IRQS.iterdir() if any(user.is_dir() for user in each.glob("*"))]
    return {each.name: machine.cpus_of(machine.read(each / "effective_affinity_list")) for each in used}


def direct(cpu: int) -> str:
    """Directs one that can be moved to that CPU; returns its number."""
    for number in interrupts():
        try:
            (IRQS / number / "smp_affinity_list").write_text(str(cpu))
        except OSError:
            continue  # not every one can be moved
        if goes_to(number, cpu):
            return number
        direct_away(number)
    raise AssertionError("no interrupt can be moved")


def goes_to(number: str, cpu: int) -> bool:
    """The kernel moves it when it comes next: those of the disk and of this test's port do."""
    for _ in range(10):
        must("dd", "if=/dev/vda", "of=/dev/null", "bs=4096", "count=1", "iflag=direct")
        machine.note(f"interrupt {number} goes to {sorted(interrupts()[number])}")
        if interrupts()[number] == {cpu}:
            return True
    return False


def direct_away(number: str) -> None:
    """Back to where the boot has directed them all."""
    (IRQS / number / "smp_affinity_list").write_text("0")
    eventually(lambda: goes_to(number, 0), f"interrupt {number} is back")


def test_leases_on_quiet_isolated_cpus_have_grade_a() -> None:
    hold_by_partition()
    held = Held()
    for number, cpus in interrupts().items():
        check(not cpus & held.cpus, f"interrupt {number} comes to CPUs {sorted(cpus)}")
    same(machine.partition(machine.group_of(held.pid).rpartition("/")[0]), "isolated", "partition")
    same(leases()[held.lease]["grade"], "A", "grade")
    verdict = verify(held.lease)
    check(verdict["passed"], str(verdict))
    same(verdict.get("raise", ""), "", "what would raise it")
    same(machine.allowed(held.pid), held.cpus, "where it may run")
    same(held.end(), 0, "exit status")


def test_an_interrupt_that_comes_lowers_the_grade_aloud() -> None:
    hold_by_partition()
    held = Held()
    monitor = Monitor()
    monitor.drain()
    number = direct(min(held.cpus))
    try:
        outcome = cmkctl("verify", held.lease)
        same(outcome.code, 7, f"exit status of verify: {outcome.text()}")
        has(outcome.out, f"{number} ")
        has(cmkctl("reconcile").out, "its grade is B, it was A")  # which it cannot mend
        monitor.until("grade_changed", held.lease)
        same(leases()[held.lease]["grade"], "B", "grade")
        has(cmkctl("verify", held.lease).out, "to raise the grade", "interrupts")
    finally:
        direct_away(number)
    must("cmkctl", "reconcile")
    same(leases()[held.lease]["grade"], "A", "grade")


def test_a_pool_that_requires_grade_a_gives_nothing_less() -> None:
    hold_by_partition(more='require_grade = "A"\n')
    first = Held()
    same(leases()[first.lease]["grade"], "A", "grade")
    number = direct(min(pool_cpus() - first.cpus))
    try:
        must("cmkctl", "reconcile")
        outcome = cmkctl("isolate", "--pool", "exclusive", "--", "true")
        check(outcome.code != 0, "a lease of less than grade A was given")
        has(outcome.err, "requires grade A", "interrupt")
    finally:
        direct_away(number)
    first.end()
    must("cmkctl", "isolate", "--pool", "exclusive", "--", "true")
