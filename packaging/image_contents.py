# SPDX-License-Identifier: Apache-2.0
"""What is in CMK's image: its programs, what these need, and what pod manifests call."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from rootfs import Rootfs

NONROOT = 65532
BASH = Path("/bin/bash-static")
BUSYBOX = Path("/bin/busybox")
# Of busybox, in /bin: what manifests run, and what people look around with.
APPLETS = (
    "cat", "cp", "date", "echo", "env", "false", "grep", "head", "id", "kill", "ls", "mkdir", "mv",
    "nproc", "ps", "rm", "sleep", "tail", "taskset", "test", "top", "true", "uname",
)  # fmt: skip
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def die(text: str) -> NoReturn:
    print(f"build-image: {text}", file=sys.stderr)
    sys.exit(1)


def output(*command: str | Path) -> str:
    try:
        return subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"LC_ALL": "C"}
        ).stdout
    except (OSError, subprocess.CalledProcessError) as problem:
        die(str(problem))


def loader_of(program: Path) -> str:
    """The program that loads its shared libraries; "" for a static one."""
    headers = output("readelf", "--program-headers", "--wide", program)
    found = re.search(r"interpreter: (\S+)\]", headers)
    return found[1] if found else ""


def libraries_of(program: Path) -> list[str]:
    """The loader and the shared libraries, none of them for newer CPUs alone."""
    loader = loader_of(program)
    listed = output(loader, "--glibc-hwcaps-mask", "none", "--list", program)
    missing = re.findall(r"(\S+) => not found", listed)
    if missing:
        die(f"{program} needs {', '.join(missing)}, which this machine lacks")
    return [loader, *re.findall(r" => (/\S+) \(", listed)]


# ---- the packages that files come from ----------------------------------------------------------


def package_of(path: str) -> str:
    """dpkg knows a file by the path that its package gives it, with or without /usr."""
    for each in (path, "/usr" + path, path.removeprefix("/usr")):
        command = ["dpkg-query", "--search", each]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.partition(": ")[0]
    die(f"no package has {path}, so nobody knows its licence")


def add_packages(root: Rootfs, paths: list[str]) -> None:
    """Licences, and for scanners of images which version of what this is."""
    for package in sorted({package_of(path) for path in paths}):
        name = package.partition(":")[0]
        add_licence(root, name, Path("/usr/share/doc", name, "copyright").read_text())
        status = output("dpkg-query", "--status", package)
        root.add_file(f"var/lib/dpkg/status.d/{name}", status.encode())


def add_licence(root: Rootfs, name: str, text: str) -> None:
    """With the texts that it refers to."""
    root.add_file(f"usr/share/doc/{name}/copyright", text.encode())
    for each in re.findall(r"/usr/share/common-licenses/[\w.-]*\w", text):
        root.add_file(each.lstrip("/"), Path(each).read_bytes())


# ---- the two layers -----------------------------------------------------------------------------


def base(program: Path) -> Rootfs:
    """All that `program` needs and that is not CMK's: it changes with Debian's packages alone."""
    root = Rootfs()
    libraries = libraries_of(program)
    for path in libraries:
        root.add_program(path.lstrip("/"), Path(path))
    for path in (BASH, BUSYBOX):
        if not path.exists():
            die(f"there is no {path}; packaging/install-build-deps test installs it")
        if loader_of(path):
            die(f"{path} is not static; packaging/install-build-deps test installs one that is")
    root.add_program("bin/bash", BASH)
    root.add_link("bin/sh", "bash")
    root.add_program("bin/busybox", BUSYBOX)
    for applet in APPLETS:
        root.add_link(f"bin/{applet}", "busybox")
    add_packages(root, [*libraries, str(BASH), str(BUSYBOX)])
    add_system_files(root)
    return root


def add_system_files(root: Rootfs) -> None:
    accounts = (("root", 0), ("nonroot", NONROOT), ("nobody", 65534))
    users = [f"{name}:x:{id}:{id}:{name}:/:/bin/sh\n" for name, id in accounts]
    groups = [f"{name}:x:{id}:\n" for name, id in accounts]
    root.add_file("etc/passwd", "".join(users).encode())
    root.add_file("etc/group", "".join(groups).encode())
    root.add_file("etc/nsswitch.conf", b"hosts: files dns\n")
    root.add_file("etc/os-release", Path("/etc/os-release").read_bytes())
    for directory in ("dev", "proc", "run", "sys"):
        root.add_directory(directory)
    root.add_directory("tmp", 0o1777)


def programs(cmkctl: Path, cmk_k8s: Path, licence: Path) -> Rootfs:
    root = Rootfs()
    root.add_program("usr/bin/cmkctl", cmkctl)
    root.add_link("usr/bin/cmk", "cmkctl")
    root.add_program("usr/bin/cmk-k8s", cmk_k8s)
    # As the original's manifests call it.
    root.add_link("cmk/cmk.py", "../usr/bin/cmk")
    root.add_file("usr/share/doc/cmk/LICENSE", licence.read_bytes())
    return root
