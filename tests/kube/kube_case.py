# SPDX-License-Identifier: Apache-2.0
"""What the tests of cmk-k8s have in common: a server, an agent, and the program between them."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest
from typing import Callable

from api_server import ApiServer
from certificates import Certificates
from fake_agent import FakeAgent

BUILD = pathlib.Path(os.environ.get("CMK_BUILD_DIR", "build")).resolve()
PATIENCE = 20.0
RESOURCE = "cmk.intel.com/exclusive-cores"
LABEL = "cmk.intel.com/cmk-node"
TAINT = {"key": "cmk", "value": "true", "effect": "NoSchedule"}
REPORTS = "/apis/intel.com/v1/namespaces/default/cmk-nodereports/"


class Daemon:
    """cmk-k8s publish, ended with the test."""

    def __init__(self, arguments: list[str], log: pathlib.Path) -> None:
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(arguments, stdout=out, stderr=out)

    def said(self) -> str:
        return self.log.read_text()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def rss_kib(self) -> int:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


class KubeCase(unittest.TestCase):
    version = "1.36.2"
    server_type = ApiServer
    shared = tempfile.TemporaryDirectory(prefix="cmk-kube-ca-")
    certificates: Certificates | None = None  # made once: it takes a second

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="cmk-kube-")
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        if KubeCase.certificates is None:
            KubeCase.certificates = Certificates(pathlib.Path(KubeCase.shared.name))
        self.server = self.server_type(self.directory, self.version, KubeCase.certificates)
        self.addCleanup(self.server.stop)
        self.agent = FakeAgent(self.directory / "agent.sock")
        self.addCleanup(self.agent.stop)
        self.server.add_node("node1", taints=[{"key": "node.kubernetes.io/not-ready",
                                               "effect": "NoSchedule",
                                               "timeAdded": "2026-01-01T00:00:00Z"}])
        self.kubeconfig = self.server.kubeconfig()
        self.daemons = 0

    def line(self, *arguments: str, node: str = "node1", kubeconfig: object = None) -> list[str]:
        line = [str(BUILD / "k8s" / "cmk-k8s"), *arguments]
        if arguments[0] != "kubelet-config":
            line += ["--node", node, "--kubeconfig", str(kubeconfig or self.kubeconfig)]
        if arguments[0] != "unpublish":
            line += ["--socket", str(self.agent.path)]
        return line

    def run_cmk(self, *arguments: str, **options: object) -> subprocess.CompletedProcess:
        environment = {"PATH": os.environ["PATH"]}
        return subprocess.run(self.line(*arguments, **options), capture_output=True, text=True,
                              timeout=90, env=environment)

    def must(self, *arguments: str, **options: object) -> str:
        done = self.run_cmk(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, *arguments: str, says: tuple[str, ...], **options: object) -> str:
        done = self.run_cmk(*arguments, **options)
        self.assertNotEqual(done.returncode, 0, "it should fail")
        self.assertGreater(done.returncode, 0, f"ended by a signal: {done.stderr}")
        for part in says:
            self.assertIn(part, done.stderr)
        return done.stderr

    def daemon(self, *arguments: str, **options: object) -> Daemon:
        self.daemons += 1
        daemon = Daemon(self.line("publish", "--longest-start", "0", *arguments, **options),
                        self.directory / f"daemon-{self.daemons}.log")
        self.addCleanup(daemon.stop)
        return daemon

    def eventually(self, what: Callable[[], object], why: str = "", patience: float = PATIENCE) -> None:
        end = time.monotonic() + patience
        while not what():
            if time.monotonic() > end:
                logs = "".join(path.read_text() for path in self.directory.glob("daemon-*.log"))
                self.fail(f"not within {patience} s: {why}\n{logs}\nrequests: " + "\n".join(
                    f'{each["method"]} {each["path"]} {each["status"]}'
                    for each in self.server.requests[-20:]))
            time.sleep(0.02)

    def capacity(self, node: str = "node1", key: str = RESOURCE) -> str | None:
        return (self.server.node(node) or {}).get("status", {}).get("capacity", {}).get(key)

    def is_published(self, cores: int = 4, node: str = "node1") -> bool:
        value = self.server.node(node)
        return (value is not None and self.capacity(node) == str(cores)
                and value["metadata"]["labels"].get(LABEL) == "true"
                and TAINT in value["spec"].get("taints", []))
