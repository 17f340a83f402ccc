# SPDX-License-Identifier: Apache-2.0
"""The original's command lines on a whole machine: by the agent, and on a directory of its own."""

import json
import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import machine
from cmk import AGENT, Held, Program, leases, pools, serve
from machine import Outcome, check, eventually, has, must, run, same

os.environ["CMK_PROC_FS"] = "/proc"
DIRECTORY = "/etc/cmk"
SOCKET = Path(DIRECTORY, "agent.sock")
SHOW = ("sh", "--", "-c", "echo $CMK_CPUS_ASSIGNED $$; exec cat")


def counts() -> tuple[str, str]:
    shared = 0 if machine.boot_isolated() else 1
    return ("--num-exclusive-cores=2", f"--num-shared-cores={shared}")


def cmk(*words: str, seconds: float = 60) -> Outcome:
    return run("cmk", *words, seconds=seconds)


def offer() -> None:
    """Pools as `cmk init` makes them, and the socket in the original's directory."""
    serve()
    if not SOCKET.exists():
        must("cmk", "reconfigure", *counts())
    check(SOCKET.is_socket(), f"{SOCKET} is there")


def test_init_offers_a_socket_in_the_originals_directory() -> None:
    offer()
    again = cmk("init", *counts())
    same(again.code, 0, f"exit status ({again.text()})")
    has(again.err, "already initialised")
    same(SOCKET.stat().st_mode & 0o777, 0o666, "its mode")


def test_pods_command_lines_are_served_by_the_agent() -> None:
    offer()
    program = Program("cmk", "isolate", f"--conf-dir={DIRECTORY}", "--pool=exclusive", *SHOW)
    cpus, pid = program.line().split()
    same(int(pid), program.pid, "it became the program")
    same(machine.allowed(program.pid), machine.cpus_of(cpus), "where it may run")
    listed = json.loads(must("cmk", "describe", f"--conf-dir={DIRECTORY}"))
    used = [each for each in listed["pools"]["exclusive"]["cpuLists"].values() if each["tasks"]]
    same([each["tasks"] for each in used], [[program.pid]], "tasks")
    same(program.end(), 0, "exit status")
    eventually(lambda: not leases(), "its lease ends")
    done = cmk("isolate", f"--conf-dir={DIRECTORY}", "--pool=infra", "sleep", "--", "0")
    same(done.code, 0, f"exit status ({done.text()})")
    same(cmk("isolate", f"--conf-dir={DIRECTORY}", "--pool=infra", "exit 7; :").code, 7, "status")


def test_requests_wait_on_the_socket_while_the_agent_restarts() -> None:
    offer()
    held = Held()
    stop = False

    def isolate() -> list[Outcome]:
        failed = []
        while not stop:
            done = cmk("isolate", f"--conf-dir={DIRECTORY}", "--pool=infra", "true")
            if done.code != 0:
                failed.append(done)
        return failed

    with ThreadPoolExecutor(2) as threads:
        loops: list[Future[list[Outcome]]] = [threads.submit(isolate) for _ in range(2)]
        try:
            for _ in range(3):
                must("systemctl", "restart", AGENT)
        finally:
            stop = True
        same([done for loop in loops for done in loop.result()], [], "requests that failed")
    check(held.lease in leases(), "the lease is there")


def test_cores_outside_isolcpus_are_a_pool_of_their_own() -> None:
    offer()
    name = "exclusive-non-isolcpus"
    made = cmk("reconfigure", *counts(), "--excl-non-isolcpus=2")
    same(made.code, 0, f"exit status ({made.text()})")
    if machine.boot_isolated():
        program = Program("cmk", "isolate", f"--conf-dir={DIRECTORY}", f"--pool={name}", *SHOW)
        same(machine.cpus_of(program.line().split()[0]), {4, 5}, "its CPUs")
        same(machine.allowed(program.pid), {4, 5}, "where it may run")
        same(program.end(), 0, "exit status")
        eventually(lambda: not leases(), "its lease ends")
        must("cmk", "reconfigure", *counts())
    else:
        has(made.err, "is ignored")
    check(name not in pools(), f"no pool {name}")


def test_the_manual_works_on_a_directory() -> None:
    """Every step of a node. The agent's pools go first: their cores are nobody else's."""
    offer()
    same(cmk("uninstall", "--install-dir=/tmp/none").code, 0, "uninstall by the agent")
    same(pools(), {}, "pools")
    conf, bin_dir = "/tmp/cmk-directory", "/tmp/cmk-bin"
    shutil.rmtree(conf, ignore_errors=True)
    named = f"--conf-dir={conf}"
    made = cmk("init", named, *counts())
    same(made.code, 0, f"init: {made.text()}")
    has(made.err, "INFO:root:Adding exclusive pool.")
    same(cmk("init", named, *counts()).code, 0, "the same init again")
    same(cmk("init", named, "--num-exclusive-cores=1").code, 1, "another init")
    same(cmk("install", f"--install-dir={bin_dir}").code, 0, "install")
    program = Program(f"{bin_dir}/cmk", "isolate", named, "--pool=exclusive", *SHOW)
    cpus, pid = program.line().split()
    same(machine.allowed(int(pid)), machine.cpus_of(cpus), "where it may run")
    report = json.loads(must("cmk", "node-report", named))
    check(report["checks"]["configDirectory"]["ok"], f"node-report: {report['checks']}")
    same(json.loads(must("cmk", "reconcile", named)), {"reclaimedCpuLists": []}, "reconcile")
    same(cmk("uninstall", named, f"--install-dir={bin_dir}").code, 1, "uninstall under it")
    program.kill()
    eventually(lambda: not machine.is_running(int(pid)), "its program ends with it")
    reclaimed = json.loads(must("cmk", "reconcile", named))["reclaimedCpuLists"]
    same([each["pid"] for each in reclaimed], [program.pid], "reclaimed")
    same(cmk("uninstall", named, f"--install-dir={bin_dir}").code, 0, "uninstall")
    same(os.listdir(conf) + os.listdir(bin_dir), [], "left")
    serve()
    check("exclusive" in pools(), "the agent has pools again")
