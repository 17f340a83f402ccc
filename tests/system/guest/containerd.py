# SPDX-License-Identifier: Apache-2.0
"""Leases of containers that containerd runs, through its shim, as kubelet has them run."""

import os
import signal

import machine
from cmk import AGENT, HOLD, cmkctl, leases, serve
from compat import offer
from containers import must_be_gone, must_be_held
from ctr import LAYOUTS, NAMESPACE, Task, ctr, forgets_tasks, image, start
from framework import deadline
from machine import CGROUP, check, eventually, has, must, read, run, same


def ready() -> None:
    serve()
    start()


def test_the_image_is_imported_for_kubelet() -> None:
    ready()
    has(ctr("images", "list").out, image(), "application/vnd.oci.image.manifest.v1+json")
    done = ctr("run", "--rm", "--read-only", image(), "cmk-version", "cmk-k8s", "--version")
    same((done.code, done.out.strip()), (0, image().partition(":v")[2]), f"version ({done.err})")


def test_hello_world_by_the_agents_directory() -> None:
    """The manual's pod, by ctr: it mounts what the original's mounts."""
    ready()
    offer()
    mounts = ("type=bind,src=/etc/cmk,dst=/etc/cmk,options=rbind:rw",
              "type=bind,src=/proc,dst=/host/proc,options=rbind:ro")  # fmt: skip
    options = [word for mount in mounts for word in ("--mount", mount)]
    words = "Hello World Exclusive!!!"
    line = f"/cmk/cmk.py isolate --conf-dir=/etc/cmk --pool=exclusive echo -- {words}"
    done = ctr("run", "--rm", "--env", "CMK_PROC_FS=/host/proc", *options, image(), "cmk-hello",
               "/bin/bash", "-c", line)  # fmt: skip
    same((done.code, done.out.strip()), (0, words), f"output ({done.err})")
    eventually(lambda: not leases(), "its lease ends")


@deadline(600)
def test_a_lease_is_held_in_every_cgroup_layout() -> None:
    ready()
    for layout in LAYOUTS:
        task = Task(layout, options=("--memory-limit", str(256 << 20)))
        leaf = task.leaf()
        check(leaf.startswith(task.pod_group), f"{layout}: {leaf} is in {task.pod_group}")
        must_be_held(task)
        facts = leases()[task.lease]
        check(facts["container"], f"{layout}: it is a container")
        same(read(CGROUP / leaf / "memory.max"), str(256 << 20), f"memory limit ({layout})")
        same(task.end(), 0, f"exit status ({layout})")
        must_be_gone(task, leaf)


def test_one_that_shares_the_hosts_pids_is_a_container_too() -> None:
    """Nothing in ctr's cgroup names tells of containers; its root is not the host's for all that."""
    ready()
    task = Task("ctr", options=("--with-ns", "pid:/proc/1/ns/pid"))
    theirs, ours = (os.readlink(f"/proc/{pid}/ns/pid") for pid in (task.init(), 1))
    same(theirs, ours, "its PID namespace")
    leaf = task.leaf()
    must_be_held(task)
    facts = leases()[task.lease]
    check(facts["container"], "it is a container")
    same(facts["pod"], leaf, "what it is called")
    has(task.execute("cmkctl", "reconcile").text(), "this is for root on the host")
    same(task.end(), 0, "exit status")
    must_be_gone(task, leaf)


@deadline(600)
def test_containerd_goes_on_managing_its_task() -> None:
    ready()
    for layout in ("ctr", "systemd"):
        task = Task(layout)
        leaf = task.leaf()
        done = task.execute("sh", "-c", "cat /proc/self/cgroup; taskset -p $$")
        same(done.code, 0, f"exec ({layout}): {done.text()}")
        check(f"cmk-{task.lease}" not in done.out, "a probe is not in the lease")
        same(task.do("pause").code, 0, f"pause ({layout})")
        same(read(CGROUP / leaf / "cgroup.freeze"), "1", "it is frozen")
        same(task.do("resume").code, 0, f"resume ({layout})")
        has(task.do("metrics").out, "memory")
        must_be_held(task)
        task.say("still there")
        same(task.line(), "still there", "what it answers")
        task.remove()
        must_be_gone(task, leaf)


def test_a_killed_task_gives_its_cpus_back() -> None:
    ready()
    task = Task()
    leaf = task.leaf()
    same(task.do("kill", "--signal", "SIGKILL").code, 0, "kill")
    must_be_gone(task, leaf)
    same(task.process.wait(machine.PATIENCE), 137, "exit status that containerd tells")
    eventually(lambda: not (CGROUP / leaf).exists(), f"{leaf} is removed")


def kill_shim(task: Task) -> None:
    shims = run("pgrep", "-f", f"containerd-shim-runc-v2.* -id {task.name}( |$)").out.split()
    same(len(shims), 1, "shims of it")
    must("kill", "-KILL", shims[0])
    eventually(lambda: not machine.is_running(int(shims[0])), "the shim is gone")


def test_the_shim_is_killed() -> None:
    """Its container ends with nobody to tell: containerd cleans up after it."""
    ready()
    task = Task()
    leaf = task.leaf()
    kill_shim(task)
    task.remove()
    run("runc", "--root", f"/run/containerd/runc/{NAMESPACE}", "delete", "--force", task.name)
    must_be_gone(task, leaf)


def test_containerd_and_the_agent_restart_under_it() -> None:
    ready()
    # Its input ends with ctr, and ctr with containerd: where it removes the container on its way
    # out, the next containerd finds a task of none, and ends it.
    task = Task(script=HOLD.replace("exec cat", "exec sleep 1000"), removed=())
    leaf = task.leaf()
    must("systemctl", "restart", "containerd.service", seconds=180)
    if not forgets_tasks():
        eventually(lambda: task.row(), "containerd lists the task")
    must_be_held(task)
    must("systemctl", "kill", "--signal=KILL", AGENT)
    eventually(lambda: cmkctl("pools").code == 0, "the agent is back")
    must_be_held(task)
    if task.row():
        same(task.do("kill", "--signal", "SIGKILL").code, 0, "kill")
    else:
        os.kill(task.init(), signal.SIGKILL)
        kill_shim(task)
    must_be_gone(task, leaf)


def test_kubelets_cpu_manager_does_not_dislodge_it() -> None:
    """It writes the container's cpuset through the runtime, again and again."""
    ready()
    task = Task()
    leaf = task.leaf()
    update = ("runc", "--root", f"/run/containerd/runc/{NAMESPACE}", "--systemd-cgroup", "update")
    for cpus in (machine.list_of(machine.online() - task.cpus), machine.list_of(machine.online())):
        must(*update, "--cpuset-cpus", cpus, task.name)
        if machine.has_remote_partitions():
            must_be_held(task)
    cmkctl("reconcile")
    must_be_held(task)
    task.remove()
    must_be_gone(task, leaf)


def test_containerd_ends_as_it_began() -> None:
    must("systemctl", "stop", "containerd.service", seconds=120)
    eventually(lambda: not run("pgrep", "-f", "containerd-shim").out, "the shims have ended")
