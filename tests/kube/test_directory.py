# SPDX-License-Identifier: Apache-2.0
"""A node without an agent: the original's command lines on its directory, by the second name."""

import json
import os
import pathlib
import subprocess

from kube_case import BUILD, LABEL, REPORTS, TAINT, KubeCase

RECONCILE_REPORTS = "/apis/intel.com/v1/namespaces/default/cmk-reconcilereports/"


class Directory(KubeCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf = self.directory / "etc-cmk"
        bin_directory = self.directory / "bin"
        bin_directory.mkdir()
        (bin_directory / "cmk").symlink_to(BUILD / "cli" / "cmkctl")
        (bin_directory / "cmk-k8s").symlink_to(BUILD / "k8s" / "cmk-k8s")
        self.write_machine(cores=6)
        self.environment = {
            "PATH": f"{bin_directory}:{os.environ['PATH']}",
            "CMK_PROC_FS": "/proc",
            "CMK_DEV_LSCPU_SYSFS": str(self.directory / "sysfs"),
            "NODE_NAME": "node1",
            "KUBECONFIG": str(self.kubeconfig),
        }
        self.cmk("init", "--num-exclusive-cores=4", "--num-shared-cores=1")

    def write_machine(self, cores: int) -> None:
        cpus = self.directory / "sysfs/sys/devices/system/cpu"
        for cpu in range(2 * cores):
            topology = cpus / f"cpu{cpu}" / "topology"
            topology.mkdir(parents=True)
            (topology / "core_id").write_text(f"{cpu % cores}\n")
            (topology / "physical_package_id").write_text("0\n")
        (cpus / "online").write_text(f"0-{2 * cores - 1}\n")

    def cmk(self, *words: str) -> str:
        done = subprocess.run(["cmk", *words, f"--conf-dir={self.conf}"], capture_output=True,
                              text=True, timeout=90, env=self.environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_discover_counts_the_lists_of_the_directory(self) -> None:
        self.cmk("discover")
        self.assertEqual(self.capacity(), "4")
        node = self.server.node("node1")
        self.assertEqual(node["metadata"]["labels"].get(LABEL), "true")
        self.assertIn(TAINT, node["spec"]["taints"])

    def test_the_node_report_is_the_directorys(self) -> None:
        printed = json.loads(self.cmk("node-report", "--publish"))
        self.assertEqual(printed, json.loads(self.cmk("node-report")))
        published = self.server.object(REPORTS + "node1")
        self.assertEqual(published["spec"]["report"], printed)
        self.assertEqual(published["status"]["coresTotal"], 4)

    def test_reconcile_takes_back_and_publishes_what_it_took(self) -> None:
        ended = subprocess.Popen(["true"])
        ended.wait()
        tasks = pathlib.Path(self.conf, "pools/exclusive/0/0,6/tasks")
        tasks.write_text(str(ended.pid))
        printed = json.loads(self.cmk("reconcile", "--publish"))
        self.assertEqual([each["pid"] for each in printed["reclaimedCpuLists"]], [ended.pid])
        self.assertEqual(tasks.read_text(), "")
        published = self.server.object(RECONCILE_REPORTS + "node1")
        self.assertEqual(published["spec"]["report"], printed)

    def test_neither_agent_nor_directory_is_said(self) -> None:
        done = subprocess.run(["cmk", "discover", f"--conf-dir={self.directory}/none"],
                              capture_output=True, text=True, timeout=90, env=self.environment)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("there is no agent", done.stderr)
        self.assertIn("start cmk-agent", done.stderr)
