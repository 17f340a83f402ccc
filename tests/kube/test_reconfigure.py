# SPDX-License-Identifier: Apache-2.0
"""cmk-k8s reconfigure_setup, and the original's command line for it."""

import subprocess

from cluster_case import PODS, ClusterCase
from kube_case import LABEL

POD = "cmk-reconfigure-pod-"


class Reconfigure(ClusterCase):
    def label(self, *nodes: str) -> None:
        self.nodes(*nodes)
        for node in nodes:
            self.server.change_node(node, lambda each: each["metadata"]["labels"].update(
                {LABEL: "true"}))

    def setup_pools(self, *arguments: str) -> str:
        return self.must("reconfigure_setup", "--timeout=20", *arguments)

    def test_every_node_with_the_label_gets_a_pod_that_reconfigures(self) -> None:
        self.label("node1", "node2")
        self.nodes("node3")
        out = self.setup_pools("--num-exclusive-cores=6", "--exclusive-mode=spread",
                               "--cmk-img=registry/cmk:1", "--saname=somebody")
        pods = self.server.objects(PODS)
        self.assertEqual(set(pods), {POD + "node1", POD + "node2"})
        spec = pods[POD + "node2"]["spec"]
        self.assertEqual(spec["nodeName"], "node2")
        self.assertEqual(spec["serviceAccountName"], "somebody")
        container = spec["containers"][0]
        self.assertEqual(container["image"], "registry/cmk:1")
        self.assertEqual(container["args"], [
            "/cmk/cmk.py reconfigure --num-exclusive-cores=6 --num-shared-cores=1 "
            "--shared-mode=packed --exclusive-mode=spread"])
        self.assertIn("2 of 2 nodes reconfigured", out)
        self.assertRegex(out, r"node1 +done")

    def test_it_is_done_again_each_time(self) -> None:
        self.label("node1")
        uids = []
        for _ in range(2):
            out = self.setup_pools()
            self.assertRegex(out, r"node1 +done +-")
            uids.append(self.server.objects(PODS)[POD + "node1"]["metadata"]["uid"])
        self.assertNotEqual(*uids)

    def test_a_node_that_refuses_is_named_and_keeps_the_others_from_nothing(self) -> None:
        self.label("node1", "node2")
        self.server.fates[POD + "node1"] = "failed"
        self.server.logs[POD + "node1"] = "ERROR:root:lease 7 of pid 4711 would not fit\n"
        done = self.run_cmk("reconfigure_setup", "--timeout=20")
        self.assertGreater(done.returncode, 0)
        self.assertIn("1 of 2 nodes reconfigured", done.stdout)
        self.assertIn("lease 7 of pid 4711 would not fit", done.stdout)
        self.assertIn("Aborting reconfigure_setup: 1 node failed", done.stderr)

    def test_what_is_wrong_is_said_before_anything_is_made(self) -> None:
        self.refused("reconfigure_setup", says=("no node has the label cmk.intel.com/cmk-node",))
        self.label("node1")
        self.refused("reconfigure_setup", "--num-shared-cores=few",
                     says=("num_shared_cores cores should be a positive integer",))
        self.refused("reconfigure_setup", "--cmk-img-pol=Sometimes", says=("Image pull policy",))
        self.refused("reconfigure_setup", "--host-list=node1", says=("--host-list",))
        self.server.tokens["t"] = "limited"
        self.server.roles["limited"] = {"list nodes", "watch pods"}
        self.refused("reconfigure_setup", says=("create pods in namespace default",),
                     kubeconfig=self.server.kubeconfig("limited", user={"token": "t"}))
        self.assertEqual(self.server.changes, 0)

    def test_the_originals_command_line_arrives_here(self) -> None:
        self.label("node1")
        line = ("reconfigure_setup --num-exclusive-cores=2 --num-shared-cores=1 "
                "--excl-non-isolcpus=-1 --exclusive-mode=packed --shared-mode=packed "
                "--cmk-img=cmk:v1.5.2 --cmk-img-pol=Never --install-dir=/opt/bin "
                "--saname=cmk-serviceaccount --namespace=default --conf-dir=/etc/cmk")
        done = subprocess.run([str(self.path / "cmk"), *line.split()], capture_output=True,
                              text=True, timeout=60,
                              env={**self.environment(), "KUBECONFIG": str(self.kubeconfig)})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 of 1 node reconfigured", done.stdout)

    def test_uninstall_takes_the_pods_away(self) -> None:
        self.label("node1")
        self.setup_pools()
        self.must("uninstall", "--keep-host", node="node1")
        self.assertEqual(self.server.objects(PODS), {})
