# SPDX-License-Identifier: Apache-2.0
"""Containers of containerd, from CMK's image, in the cgroups that ctr and Kubernetes give them."""

import functools

import machine
from cmk import HOLD, PAYLOAD, Program
from machine import Outcome, cpus_of, has, must, run

NAMESPACE = "k8s.io"  # where kubelet's are

# Where the container's cgroup is: options of `ctr run` for a pod and a name, and the pod's group.
LAYOUTS = ("ctr", "cgroupfs", "systemd")


def cgroup_options(layout: str, pod: str, name: str) -> tuple[tuple[str, ...], str]:
    if layout == "ctr":
        return (), NAMESPACE
    if layout == "cgroupfs":
        group = f"kubepods/besteffort/pod{pod}"
        return ("--cgroup", f"/{group}/{name}"), group
    slice_name = f"kubepods-besteffort-pod{pod}.slice"
    options = ("--runc-systemd-cgroup", "--cgroup", f"{slice_name}:cri-containerd:{name}")
    return options, f"kubepods.slice/kubepods-besteffort.slice/{slice_name}"


def start() -> None:
    """containerd, with the image in it."""
    if not machine.is_active("containerd.service"):
        must("systemctl", "start", "containerd.service", seconds=180)
    image()


@functools.cache
def image() -> str:
    name = f"docker.io/library/cmk:v{must('cmkctl', '--version').split()[1]}"
    (archive,) = (PAYLOAD / "container").glob("*.oci.tar")
    must("ctr", "--namespace", NAMESPACE, "images", "import", archive, seconds=180)
    has(ctr("images", "list", "--quiet").out, name)
    return name


def forgets_tasks() -> bool:
    """When it starts, containerd 1.7 lets go of tasks whose processes runc cannot list, as beside
    a threaded cgroup: docs/isolation.md."""
    return must("containerd", "--version").split()[2].startswith("1.7")


def ctr(*words: str) -> Outcome:
    return run("ctr", "--namespace", NAMESPACE, *words, seconds=120)


class Task(Program):
    """A container whose first process isolates itself. Ready when made."""

    number = 0

    def __init__(
        self,
        layout: str = "systemd",
        script: str = HOLD,
        options: tuple[str, ...] = (),
        removed: tuple[str, ...] = ("--rm",),
    ) -> None:
        Task.number += 1
        self.first = 0
        self.name = f"cmk-ctr-{Task.number}"
        cgroup, self.pod_group = cgroup_options(layout, str(Task.number), self.name)
        words = ("cmkctl", "isolate", "--pool", "exclusive", "--", "sh", "-c", script)
        sockets = ("--mount", "type=bind,src=/run/cmk,dst=/run/cmk,options=rbind:ro")
        run_options = (*removed, *cgroup, *sockets, *options)
        super().__init__(
            "ctr", "--namespace", NAMESPACE, "run", *run_options, image(), self.name, *words
        )
        self.lease, cpus = self.line(120).split()
        self.cpus = cpus_of(cpus)

    def init(self) -> int:
        """The first process, as the host numbers it."""
        if not self.first:
            self.first = int(self.row()[1])
        return self.first

    def row(self) -> list[str]:
        rows = [line.split() for line in ctr("task", "list").out.splitlines()]
        return next((row for row in rows if row[:1] == [self.name]), [])

    def leaf(self) -> str:
        """The container's own cgroup."""
        group = machine.group_of(self.init())
        return group.rpartition("/cmk-")[0] if "/cmk-" in group else group

    def do(self, verb: str, *words: str) -> Outcome:
        """A subcommand of `ctr task`."""
        return ctr("task", verb, *words, self.name)

    def execute(self, *words: str) -> Outcome:
        """One more process in it, as a probe is."""
        return ctr("task", "exec", "--exec-id", "probe", self.name, *words)

    def kill(self) -> None:
        self.remove()

    def remove(self) -> None:
        """Whatever is left of it: `ctr run --rm` does it too, if it can."""
        self.do("kill", "--signal", "SIGKILL")
        try:
            self.process.wait(machine.PATIENCE)
        finally:
            self.forget()
            self.do("delete", "--force")
            ctr("container", "delete", self.name)
