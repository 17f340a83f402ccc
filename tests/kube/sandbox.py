# SPDX-License-Identifier: Apache-2.0
"""Runs the containers of a pod as a kubelet would, with the build's programs instead of an image.

A container gets a root of its own (the machine's /usr, and what the image has below /cmk), its
volumes, its environment and the token of its service account. Its node is a directory, and a
description of a machine that need not be this one: that is why `isolate` reserves CPUs here and
pins nothing.
"""

import base64
import os
import pathlib
import re
import shlex
import signal
import subprocess
from typing import Callable

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
PARTS = ("usr", "bin", "sbin", "lib", "lib64", "proc", "dev")
NOT_PINNED = "INFO:root:Not setting affinity\n"
PROGRAM = '#!/bin/sh\nexec /cmk/cmk "$@"\n'  # as the image's /cmk/cmk.py


class Node:
    """A node's files, and its machine: sockets of four cores of two CPUs."""

    def __init__(self, root: pathlib.Path, sockets: int = 2) -> None:
        self.root = root
        cpus = root / "sysfs/sys/devices/system/cpu"
        count = sockets * 8
        for cpu in range(count):
            topology = cpus / f"cpu{cpu}" / "topology"
            topology.mkdir(parents=True)
            (topology / "core_id").write_text(f"{cpu // 2}\n")
            (topology / "physical_package_id").write_text(f"{cpu // 8}\n")
        (cpus / "online").write_text(f"0-{count - 1}\n")

    def path(self, host_path: str) -> pathlib.Path:
        """Where a path of the node is; the kernel's are this machine's."""
        if host_path == "/proc":
            return pathlib.Path("/proc")
        path = self.root / host_path.lstrip("/")
        path.mkdir(parents=True, exist_ok=True)
        return path


class Container:
    """One container of a pod. `look_up` gives the data of ("configmaps" or "secrets", name)."""

    def __init__(self, build: pathlib.Path, node: Node, pod: dict, spec: dict, work: pathlib.Path,
                 look_up: Callable[[str, str], dict[str, bytes]]) -> None:
        self.build, self.node, self.pod, self.spec = build, node, pod, spec
        self.work, self.look_up = work, look_up
        self.log = work / "log"
        self.process: subprocess.Popen | None = None

    def start(self, credential: dict[str, str], server: str) -> subprocess.Popen:
        self.work.mkdir(parents=True)
        script = self.work / "start"
        script.write_text("\n".join(self.set_up(credential)) + "\n")
        host, _, port = server.partition(":")
        environment = {"PATH": "/opt/bin:/cmk:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/",
                       "KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port,
                       "CMK_DEV_LSCPU_SYSFS": "/cmk/sysfs", **self.environment()}
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "bash", "-e", str(script)], env=environment, stdout=out,
                stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
        return self.process

    def exit_status(self) -> int | None:
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        if self.process is None or self.exit_status() is not None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(10)
                return
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue

    def said(self) -> str:
        """Its log, without what `words` adds to it."""
        return self.log.read_text().replace(NOT_PINNED, "")

    def environment(self) -> dict[str, str]:
        fields = {"spec.nodeName": self.pod["spec"]["nodeName"],
                  "metadata.namespace": self.pod["metadata"].get("namespace", "default"),
                  "metadata.name": self.pod["metadata"]["name"]}
        found = {}
        for each in self.spec.get("env", []):
            source = each.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            found[each["name"]] = fields[source] if source else each.get("value", "")
        return found

    def words(self) -> list[str]:
        """Its command line; $(NAME) is the kubelet's to fill in."""
        known = self.environment()
        words = [*self.spec.get("command", []), *self.spec.get("args", [])]
        words = [re.sub(r"\$\((\w+)\)", lambda m: known.get(m[1], m[0]), each) for each in words]
        return [re.sub(r"(/cmk(?:\.py)? isolate) ", r"\1 --no-affinity ", each) for each in words]

    def set_up(self, credential: dict[str, str]) -> list[str]:
        """A script that makes the root and becomes the container's program in it."""
        root = self.work / "root"
        lines = [f"mkdir {root}", f"mount -t tmpfs -o size=1m none {root}",
                 f"mkdir -p {root}/cmk/sysfs {root}/etc {root}/tmp"]
        for part in filter(lambda part: os.path.exists(f"/{part}"), PARTS):
            lines.append(f"mkdir {root}/{part}; mount --rbind /{part} {root}/{part}")
        for name, program in (("cmk", "cli/cmkctl"), ("cmkctl", "cli/cmkctl"),
                              ("cmk-k8s", "k8s/cmk-k8s")):
            lines += [f": >{root}/cmk/{name}",
                      f"mount --bind {self.build / program} {root}/cmk/{name}"]
        (self.work / "cmk.py").write_text(PROGRAM)
        lines += [f"install -m 755 {self.work}/cmk.py {root}/cmk/cmk.py",
                  f"mount --bind {self.node.root}/sysfs {root}/cmk/sysfs"]
        for source, target, is_read_only in [(self.write("account", credential), ACCOUNT, True),
                                             *self.mounts()]:
            lines += [f"mkdir -p {root}{target}", f"mount --bind {source} {root}{target}"]
            if is_read_only and source != pathlib.Path("/proc"):
                lines.append(f"mount -o remount,bind,ro {root}{target}")
        return [*lines, f"exec chroot {root} {shlex.join(self.words())}"]

    def mounts(self) -> list[tuple[pathlib.Path, str, bool]]:
        volumes = {each["name"]: each for each in self.pod["spec"].get("volumes", [])}
        found = []
        for each in self.spec.get("volumeMounts", []):
            source = self.source(volumes[each["name"]])
            if source is not None:
                found.append((source, each["mountPath"], each.get("readOnly", False)))
        return found

    def source(self, volume: dict) -> pathlib.Path | None:
        if "hostPath" in volume:
            return self.node.path(volume["hostPath"]["path"])
        for key, kind, name in (("configMap", "configmaps", "name"),
                                ("secret", "secrets", "secretName")):
            if key in volume and volume["name"] != "token":
                return self.write(volume["name"], self.look_up(kind, volume[key][name]))
        return None

    def write(self, name: str, files: dict) -> pathlib.Path:
        directory = self.work / name
        directory.mkdir()
        for key, value in files.items():
            data = value.encode() if isinstance(value, str) else value
            (directory / key).write_bytes(data)
        return directory


def data_of(value: dict) -> dict[str, bytes]:
    """The files in a ConfigMap or a Secret."""
    if value.get("kind") == "Secret" or "type" in value:
        return {key: base64.b64decode(text) for key, text in value.get("data", {}).items()}
    return {key: text.encode() for key, text in value.get("data", {}).items()}
