# SPDX-License-Identifier: Apache-2.0
"""Containers as runtimes run them, in the cgroups that Kubernetes gives them."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import machine
from cmk import HOLD, Program
from machine import CGROUP, cpus_of, must, run

WORK = Path("/var/lib/cmk-tests")
TOOLS = WORK / "tools"  # mounted as /opt/bin: cmkctl and a static shell, nothing else
SOCKETS = {"/run/cmk": "lease", "/run/cmk-observe": "observe", "/run/cmk-admin": "admin"}
# Needs no other program, so it runs in an image without any.
STATIC_HOLD = HOLD.replace("exec cat", "exec /opt/bin/busybox cat")
ALL_CAPABILITIES = ["CAP_SYS_ADMIN", "CAP_SYS_NICE", "CAP_DAC_OVERRIDE", "CAP_SYS_PTRACE",
                    "CAP_KILL", "CAP_SETUID", "CAP_SETGID"]  # fmt: skip


def make_tools() -> None:
    TOOLS.mkdir(parents=True, exist_ok=True)
    for source in ("/usr/bin/cmkctl", "/bin/busybox"):
        if not (TOOLS / Path(source).name).exists():
            shutil.copy(source, TOOLS)


def make_root(name: str) -> Path:
    """scratch: nothing; static: busybox and its links; debian: this machine's /usr."""
    root = WORK / "roots" / name
    for directory in ("proc", "dev", "sys", "tmp", "run", "etc", "opt/bin", "usr"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    if name == "static":
        (root / "bin").mkdir(exist_ok=True)
        for word in ("busybox", "sh", "cat", "true", "sleep"):
            target = root / "bin" / word
            if not target.exists():
                shutil.copy("/bin/busybox", target)
    if name == "debian":
        for word in ("bin", "lib", "lib64", "sbin"):
            if not (root / word).exists():
                (root / word).symlink_to(f"usr/{word}")
    return root


def mount(source: str, target: str, *options: str, kind: str = "bind") -> dict[str, Any]:
    words = list(options) or ["rbind", "ro"]
    return {"destination": target, "type": kind, "source": source, "options": words}


class Container(Program):
    """A container whose first process isolates itself. Ready when made."""

    number = 0

    def __init__(
        self,
        runtime: str = "runc",
        systemd: bool = True,
        image: str = "static",
        pod: str = "1",
        command: tuple[str, ...] = (),
        pool: str = "exclusive",
        sockets: tuple[str, ...] = ("/run/cmk",),
        user: int = 0,
        user_namespace: bool = False,
        ready: bool = True,
        memory: int = 256 << 20,
    ) -> None:
        Container.number += 1
        self.runtime, self.systemd = runtime, systemd
        self.name = f"cmk-test-{Container.number}"
        self.bundle = WORK / "bundles" / self.name
        self.bundle.mkdir(parents=True, exist_ok=True)
        make_tools()
        shell = ("/opt/bin/busybox", "sh", "-c", STATIC_HOLD)
        words = command or ("/opt/bin/cmkctl", "isolate", "--pool", pool, "--", *shell)
        config = self.config(words, image, pod, sockets, user, user_namespace, memory)
        (self.bundle / "config.json").write_text(json.dumps(config))
        self.pod_group = self.group_above(pod)
        super().__init__(*self.call("run"), "--bundle", str(self.bundle), self.name)
        self.lease, self.cpus = "", set[int]()
        if ready:
            self.lease, cpus = self.line(60).split()
            self.cpus = cpus_of(cpus)

    def call(self, *words: str) -> list[str]:
        return [self.runtime, *(["--systemd-cgroup"] if self.systemd else []), *words]

    def group_above(self, pod: str) -> str:
        if self.systemd:
            name = f"kubepods-besteffort-pod{pod}.slice"
            return f"kubepods.slice/kubepods-besteffort.slice/{name}"
        return f"kubepods/besteffort/pod{pod}"

    def leaf(self) -> str:
        """The container's own cgroup, whatever the runtime makes of it."""
        group = machine.group_of(self.init())
        return group.rpartition("/cmk-")[0] if "/cmk-" in group else group

    def init(self) -> int:
        state = json.loads(must(self.runtime, "state", self.name))
        return int(state["pid"])

    def config(
        self,
        words: tuple[str, ...],
        image: str,
        pod: str,
        sockets: tuple[str, ...],
        user: int,
        user_namespace: bool,
        memory: int,
    ) -> dict[str, Any]:
        path = f"kubepods-besteffort-pod{pod}.slice:cri-containerd:{self.name}"
        if not self.systemd:
            path = f"/kubepods/besteffort/pod{pod}/{self.name}"
        mounts = [
            mount("proc", "/proc", "nosuid", "noexec", "nodev", kind="proc"),
            mount("tmpfs", "/dev", "nosuid", "mode=755", kind="tmpfs"),
            mount("tmpfs", "/run", "nosuid", "mode=755", kind="tmpfs"),
            mount(str(TOOLS), "/opt/bin"),
            # In a user namespace a mount keeps what the host has locked of it.
            *(mount(path, path, "rbind", "ro", "nosuid", "nodev", "noexec") for path in sockets),
        ]
        if image == "debian":
            mounts.append(mount("/usr", "/usr"))
        namespaces = ["pid", "mount", "ipc", "uts", "cgroup", *(["user"] if user_namespace else [])]
        ids = [{"containerID": 0, "hostID": 100000, "size": 65536}] if user_namespace else []
        capabilities = {kind: ALL_CAPABILITIES for kind in ("bounding", "effective", "permitted")}
        return {
            "ociVersion": "1.0.2",
            "root": {"path": str(make_root(image)), "readonly": True},
            "process": {
                "user": {"uid": user, "gid": user},
                "args": list(words),
                "env": ["PATH=/opt/bin:/usr/bin:/bin"],
                "cwd": "/",
                "capabilities": capabilities,
            },
            "mounts": mounts,
            "linux": {
                "cgroupsPath": path,
                "namespaces": [{"type": each} for each in namespaces],
                "resources": {"memory": {"limit": memory}},
                **({"uidMappings": ids, "gidMappings": ids} if ids else {}),
            },
        }

    def execute(self, *words: str) -> machine.Outcome:
        return run(*self.call("exec"), self.name, *words)

    def isolate(self, pool: str) -> Program:
        """One more lease in the same container."""
        shell = ("/opt/bin/busybox", "sh", "-c", STATIC_HOLD)
        words = ("/opt/bin/cmkctl", "isolate", "--pool", pool, "--", *shell)
        return Program(*self.call("exec"), self.name, *words)

    def kill(self) -> None:
        self.remove()

    def remove(self) -> None:
        """As a runtime does that is told to, at once."""
        run(*self.call("delete"), "--force", self.name)
        try:
            self.process.wait(machine.PATIENCE)
        finally:
            self.forget()
            shutil.rmtree(self.bundle, ignore_errors=True)


def remains(group: str) -> dict[str, str]:
    """Claims on CPUs at and above a group that may be gone."""
    found = {}
    parts = Path(group).parts
    for depth in range(1, len(parts) + 1):
        path = Path(*parts[:depth])
        try:
            claim = machine.read(CGROUP / path / "cpuset.cpus.exclusive")
        except OSError:
            continue  # there is no such group, or it goes just now
        if claim:
            found[str(path)] = claim
    return found


def groups_named(prefix: str) -> list[str]:
    return [
        str(Path(root, name).relative_to(CGROUP))
        for root, names, _ in os.walk(CGROUP)
        for name in names
        if name.startswith(prefix) and not name.endswith((".service", ".slice"))
    ]
