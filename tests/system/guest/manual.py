# SPDX-License-Identifier: Apache-2.0
"""The operator manual's commands for a node, from its first line to its last, on a machine on which
CMK is not installed. Those for the cluster are run by tests/kube/test_manual.py."""

import os
import shutil
from pathlib import Path

import machine
from cmk import PAYLOAD, package_names
from framework import Skip, deadline
from machine import check, must, same
from operator_manual import Shell, blocks, problem_with, steps

TEXT = (PAYLOAD / "operator-manual.md").read_text()
PATIENCE = 300  # seconds for a command; installing takes longest


def forget_cmk() -> None:
    must("dpkg", "--purge", *package_names(), seconds=PATIENCE)
    for path in ("/etc/cmk", "/etc/cmk-agent", "/opt/bin"):
        shutil.rmtree(path, ignore_errors=True)


@deadline(1200)
def test_commands_for_a_node() -> None:
    if machine.boot_isolated():
        raise Skip("its pools are of cores that are not isolated at boot")
    forget_cmk()
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "PAGER": "cat"}
    shell = Shell(PAYLOAD / "packages", environment)
    done = 0
    try:
        for block in blocks(TEXT):
            for step in steps(block) if block.place == "node" else []:
                problem = problem_with(step, shell, PATIENCE)
                check(not problem, f"docs/operator-manual.md, {problem}")
                done += 1
    finally:
        shell.close()
    check(done > 20, f"only {done} commands for a node were found")
    same(Path("/etc/cmk/agent.sock").exists(), False, "agent.sock after removal")
