# SPDX-License-Identifier: Apache-2.0
"""Kubelet's static CPU manager gives away CPUs that pools have."""

import json
import re
from pathlib import Path

from cmk import AGENT, Held, Monitor, cmkctl, data, hold_by_partition, pool_cpus, verify
from machine import check, cpus_of, has, list_of, must, same

KUBELET = Path("/var/lib/kubelet")
COUNTS = ("--num-exclusive-cores", "2", "--num-shared-cores", "0")
POD = "5f7c1c6e-0c1c-4d43-9f0e-1e6c5d0b9a11"


def give_away(cpus: set[int]) -> None:
    """As kubelet writes it down: beside the old file, then over it."""
    state = {"policyName": "static", "defaultCpuSet": "0", "checksum": 1,
             "entries": {POD: {"server": list_of(cpus)}} if cpus else {}}  # fmt: skip
    draft = KUBELET / ".cpu_manager_state.tmp"
    draft.write_text(json.dumps(state))
    draft.rename(KUBELET / "cpu_manager_state")


def test_cpus_that_kubelet_has_given_away_are_told() -> None:
    hold_by_partition()
    KUBELET.mkdir(exist_ok=True)
    must("systemctl", "restart", AGENT)  # kubelet was there before
    try:
        monitor = Monitor()
        monitor.drain()
        held = Held()
        give_away(held.cpus)
        has(monitor.until("pools_changed")[-1]["reason"], "static CPU manager", "reservedSystemCPUs")
        check(any("kubelet" in problem for problem in data("status")["problems"]), "no problem")
        outcome = cmkctl("verify", held.lease)
        same(outcome.code, 7, f"exit status of verify: {outcome.text()}")
        wanted = re.search(r'reservedSystemCPUs: "([^"]+)"', outcome.text())
        check(wanted and pool_cpus() <= cpus_of(wanted[1]), f"no setting: {outcome.text()}")
        check(not verify(held.lease)["passed"], "the lease passes")
        has(must("cmkctl", "init", *COUNTS, "--dry-run"), "static CPU manager")
        give_away(set())
        monitor.until("pools_changed")
        same(cmkctl("verify", held.lease).code, 0, "exit status of verify")
    finally:
        for file in KUBELET.glob("*"):
            file.unlink()
        KUBELET.rmdir()
        must("systemctl", "restart", AGENT)
