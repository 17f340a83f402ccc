# SPDX-License-Identifier: Apache-2.0
"""What the tests of cluster-init and uninstall have in common."""

import os
import pathlib
import subprocess

from cluster_server import ClusterServer
from kube_case import BUILD, KubeCase

PODS = "/api/v1/namespaces/default/pods"
SETS = "/apis/apps/v1/namespaces/default/daemonsets"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
POD = "cmk-init-install-discover-pod-"
SET = "cmk-reconcile-nodereport-ds-"
WEBHOOK = {
    "/api/v1/namespaces/default/secrets": "cmk-webhook-certs",
    "/api/v1/namespaces/default/configmaps": "cmk-webhook-configmap",
    "/api/v1/namespaces/default/services": "cmk-webhook-service",
    DEPLOYMENTS: "cmk-webhook-deployment",
    CONFIGURATIONS: "cmk-webhook-config",
}


class ClusterCase(KubeCase):
    server_type = ClusterServer
    server: ClusterServer

    def setUp(self) -> None:
        super().setUp()
        self.conf = self.directory / "conf"
        self.install = self.directory / "bin"
        self.path = self.directory / "path"
        for each in (self.conf, self.install, self.path):
            each.mkdir()
        (self.path / "cmk").symlink_to(BUILD / "cli" / "cmkctl")
        (self.path / "cmk-k8s").symlink_to(BUILD / "k8s" / "cmk-k8s")

    def nodes(self, *names: str) -> None:
        for name in names:
            if self.server.node(name) is None:
                self.server.add_node(name)

    def line(self, *arguments: str, node: str = "", kubeconfig: object = None) -> list[str]:
        line = [str(self.path / "cmk-k8s"), *arguments,
                "--kubeconfig", str(kubeconfig or self.kubeconfig)]
        return line + (["--node", node] if node else [])

    def environment(self) -> dict[str, str]:
        return {"PATH": f'{self.path}:{os.environ["PATH"]}', "NODE_NAME": "node1",
                "CMK_PROC_FS": "/proc", "KUBERNETES_SERVICE_HOST": ""}

    def run_cmk(self, *arguments: str, **options: object) -> subprocess.CompletedProcess:
        return subprocess.run(self.line(*arguments, **options), capture_output=True, text=True,
                              timeout=120, env=self.environment())

    def init(self, *arguments: str) -> str:
        return self.must("cluster-init", "--timeout=20", *(arguments or ("--all-hosts",)))

    def killed_at(self, step: int, *arguments: str) -> bool:
        """Runs it and kills it with its write of that number, which is still done. False where it
        has no more writes."""
        process = subprocess.Popen(self.line(*arguments), env=self.environment(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.server.kill = process.kill
        self.server.kill_at = self.server.changes + step
        code = process.wait(90)
        self.server.kill_at = 0
        return code != 0

    def make_directory(self, tasks: str = "") -> pathlib.Path:
        """The original's directory with a list of each pool."""
        for pool, exclusive, cpus in (("exclusive", "1", "1"), ("shared", "0", "2"),
                                      ("infra", "0", "0")):
            cpu_list = self.conf / "pools" / pool / "0" / cpus
            cpu_list.mkdir(parents=True, exist_ok=True)
            (self.conf / "pools" / pool / "exclusive").write_text(exclusive)
            (cpu_list / "tasks").write_text(tasks if pool == "exclusive" else "")
        (self.conf / "lock").write_text("")
        (self.install / "cmk").write_text("the program")
        return self.conf
