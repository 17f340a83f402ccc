# SPDX-License-Identifier: Apache-2.0
"""A node from the image of packaging/node-image: it serves from its first boot on."""

import re

from cmk import AGENT, SOCKETS, Held, leases, must_hold, pools
from machine import check, eventually, is_active, must, read, run, same, unit


def test_the_machine_came_up_well() -> None:
    def settled() -> bool:
        return run("systemctl", "is-system-running").out.strip() not in ("starting", "initializing")

    eventually(settled, "all jobs of the boot are done")
    same(must("systemctl", "--failed", "--no-legend").strip(), "", "units that failed")
    check(re.fullmatch("[0-9a-f]{32}", read("/etc/machine-id")), "it has an id of its own")


def test_the_agent_runs_with_pools_from_a_drop_in() -> None:
    for name in (AGENT, *SOCKETS):
        check(is_active(name), f"{name} is active")
        same(unit(name, "UnitFileState"), "enabled", name)
    same(unit(AGENT, "NRestarts"), "0", "restarts of the agent")
    found = pools()
    same(sorted(found), ["exclusive", "infra", "shared"], "pools")
    same([found[name]["cores"] for name in ("exclusive", "shared")], [2, 1], "their cores")


def test_it_isolates() -> None:
    held = Held("--cores", "2")
    same(leases()[held.lease]["grade"], "B", "grade")
    must_hold(held)
    same(held.end(), 0, "exit status")
    eventually(lambda: not leases(), "the lease ends")


def test_init_on_the_node_goes_over_the_image_s_pools() -> None:
    counts = ("--num-exclusive-cores", "1", "--num-shared-cores", "1")
    must("cmkctl", "init", *counts, "--yes")
    must("systemctl", "restart", AGENT)
    same(pools()["exclusive"]["cores"], 1, "exclusive cores")
