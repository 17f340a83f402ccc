# SPDX-License-Identifier: Apache-2.0
"""The pod of docs/examples: a server takes it, and it fits a node as cmk-k8s publishes one."""

import pathlib
import shutil
import subprocess

from cluster_case import PODS
from cluster_server import ClusterServer
from kube_case import LABEL, RESOURCE, KubeCase
from need import need

POD = pathlib.Path(__file__).resolve().parents[2] / "docs/examples/pod.yaml"


class Examples(KubeCase):
    server_type = ClusterServer

    def setUp(self) -> None:
        super().setUp()
        need(self, shutil.which("kubectl"), "kubectl")

    def create(self, file: pathlib.Path) -> subprocess.CompletedProcess:
        """Without kubectl's own validation: the server's is what is asked for."""
        return subprocess.run(
            ["kubectl", "--kubeconfig", str(self.kubeconfig), "--cache-dir",
             str(self.directory / "cache"), "create", "--validate=false", "-f", str(file)],
            capture_output=True, text=True, timeout=60)

    def test_the_pod_is_taken_and_fits_a_published_node(self) -> None:
        done = self.create(POD)
        self.assertEqual(done.returncode, 0, done.stderr)
        pod = self.server.object(f"{PODS}/cmk-example")["spec"]
        self.must("publish", "--once")
        node = self.server.node("node1")
        self.assertEqual(pod["nodeSelector"], {LABEL: node["metadata"]["labels"][LABEL]})
        taints = {each["key"] for each in node["spec"]["taints"]}
        self.assertEqual({each["key"] for each in pod["tolerations"]} - taints, set())
        (container,) = pod["containers"]
        limits = container["resources"]["limits"]
        self.assertLessEqual(int(limits[RESOURCE]), int(node["status"]["capacity"][RESOURCE]))
        cores = container["command"][container["command"].index("--cores") + 1]
        self.assertEqual(cores, limits[RESOURCE], "it leases what it was scheduled for")

    def test_the_server_refuses_what_is_misspelled(self) -> None:
        wrong = self.directory / "pod.yaml"
        wrong.write_text(POD.read_text().replace("volumeMounts:", "volumeMount:"))
        done = self.create(wrong)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("volumeMount", done.stderr)
