# SPDX-License-Identifier: Apache-2.0
"""How many files the agent writes for a lease, counted by strace: the same beside one lease and
beside hundreds, and few for a container."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import machine
from cmk import AGENT, Held, Program, hold_by_partition, leases, serve
from framework import deadline
from machine import check, eventually, has_remote_partitions, main_pid, must, same
from oci import Container

TRACE = Path("/tmp/cmk-test-trace")
# Files of cgroups are opened for writing without being made, state files are made anew.
WRITE = re.compile(r'openat\((?:\d+|AT_FDCWD), "([^"]+)", O_WRONLY\|O_CLOEXEC\)')
MAKE = re.compile(r'mkdirat\((?:\d+|AT_FDCWD), "([^"]+)"')
MANY = 200


@contextmanager
def traced() -> Iterator[list[str]]:
    """Files written and directories made by the agent meanwhile."""
    found: list[str] = []
    TRACE.unlink(missing_ok=True)
    agent = main_pid(AGENT)
    words = ["strace", "-q", "-e", "trace=openat,mkdirat", "-o", str(TRACE), "-p", str(agent)]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE)
    untraced = "TracerPid:\t0\n"
    eventually(lambda: untraced not in Path(f"/proc/{agent}/status").read_text(), "strace traces")
    try:
        yield found
        time.sleep(0.5)
    finally:
        tracer.terminate()
        tracer.wait()
    for line in TRACE.read_text().splitlines():
        found += [*WRITE.findall(line), *MAKE.findall(line)]


def cost_of_a_lease() -> list[str]:
    with traced() as files:
        held = Held()
        time.sleep(0.3)
    held.end()
    eventually(lambda: held.lease not in leases(), "the lease ends")
    return [each for each in files if "cpuset" in each or "cgroup" in each or held.lease in each]


@deadline(900)
def test_a_lease_costs_the_same_beside_many() -> None:
    hold_by_partition()
    alone = cost_of_a_lease()
    check(alone, "strace saw what the agent writes")
    # Not all at once: one caller has a bounded number of connections.
    script = f"""for n in $(seq {MANY}); do
        (until cmkctl isolate --pool infra -- sleep 1000; [ $? != 125 ]; do sleep 1; done) &
        [ $((n % 20)) != 0 ] || sleep 2
    done; wait"""
    crowd = Program("sh", "-c", script)
    eventually(lambda: len(leases()) >= MANY, f"{MANY} leases", seconds=300)
    beside = cost_of_a_lease()
    machine.note(f"files written for a lease: {len(alone)} alone, {len(beside)} beside {MANY}")
    same(len(beside), len(alone), f"number of files: {beside} and {alone}")
    must("sh", "-c", "cmkctl leases -o json | python3 -c 'import json,os,sys;"
         "[os.kill(l[\"pid\"],9) for l in json.load(sys.stdin)[\"items\"]]'", seconds=120)  # fmt: skip
    eventually(lambda: not leases(), "all leases end", seconds=120)
    crowd.kill()


def test_a_containers_lease_costs_few_files() -> None:
    serve()
    with traced() as files:
        container = Container()
        time.sleep(0.3)
    written = [each for each in files if "cpuset" in each or "cgroup" in each or "/cmk-" in each]
    kind = "with a partition" if has_remote_partitions() else "by a cpuset"
    machine.note(f"files written for a container's lease {kind}: {len(written)}: {' '.join(written)}")
    check(0 < len(written) <= 16, f"{len(written)} files: {written}")
    container.remove()
