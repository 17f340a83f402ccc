# SPDX-License-Identifier: Apache-2.0
"""What a lease costs beside what people use instead. Prints times; judges ratios of one run."""

import statistics
import subprocess
import time

import machine
from cmk import hold_by_partition, serve
from framework import deadline
from machine import check, list_of, online

CONTENDERS = {
    "true": ("true",),
    "taskset -c N true": ("taskset", "-c", list_of(online()), "true"),
    "cmkctl isolate -- true": ("cmkctl", "isolate", "--pool", "exclusive", "--wait", "--", "true"),
    "systemd-run --scope true": ("systemd-run", "--quiet", "--scope", "true"),
}


def seconds_of(command: tuple[str, ...]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def compare(rounds: int) -> dict[str, float]:
    """Medians, of rounds in which each has its turn."""
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for number in range(rounds + 2):
        for name, command in CONTENDERS.items():
            seconds = seconds_of(command)
            if number >= 2:  # the first ones load files
                times[name].append(seconds)
    medians = {name: statistics.median(each) for name, each in times.items()}
    base = medians["taskset -c N true"]
    machine.note(f"{'whole process, median of ' + str(rounds):34}{'ms':>8}{'taskset = 1':>14}")
    for name, median in medians.items():
        machine.note(f"{name:34}{median * 1e3:8.1f}{median / base:14.2f}")
    return medians


def must_be_cheaper_than_a_scope(medians: dict[str, float]) -> None:
    ratio = medians["cmkctl isolate -- true"] / medians["systemd-run --scope true"]
    machine.note(f"isolate / systemd-run --scope: {ratio:.2f}")
    check(ratio < 1, "a lease costs more than a transient scope")


@deadline(900)
def test_a_lease_is_cheaper_than_a_transient_scope() -> None:
    serve()
    must_be_cheaper_than_a_scope(compare(200 if machine.FULL else 25))


@deadline(900)
def test_a_lease_in_a_partition_is_cheaper_than_a_transient_scope() -> None:
    hold_by_partition()
    must_be_cheaper_than_a_scope(compare(200 if machine.FULL else 25))
