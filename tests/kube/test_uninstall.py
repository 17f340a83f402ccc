# SPDX-License-Identifier: Apache-2.0
"""uninstall: in its order, from every half-way state, and refused while others use the pools."""

import subprocess
import threading
import time

from cluster_case import CONFIGURATIONS, POD, PODS, SET, SETS, WEBHOOK, ClusterCase
from kube_case import LABEL, REPORTS, RESOURCE, TAINT

RECONCILE_REPORTS = REPORTS.replace("nodereports", "reconcilereports")


class UninstallCase(ClusterCase):
    def setUp(self) -> None:
        super().setUp()
        self.server.define_reports()

    def prepare(self, *nodes: str, tasks: str = "", reported: tuple[str, ...] = ()) -> None:
        """As cluster-init and its pods leave a cluster, with the pools of node1 here."""
        self.nodes(*nodes)
        self.init("--all-hosts")
        self.make_directory(tasks)
        for node in nodes:
            self.server.change_node(node, self.mark)
            for path in (REPORTS, RECONCILE_REPORTS):
                self.report(path, node, reported)

    @staticmethod
    def mark(node: dict) -> None:
        node["metadata"]["labels"][LABEL] = "true"
        taints = node["spec"].setdefault("taints", [])
        if TAINT not in taints:
            taints.append(dict(TAINT))
        for part in ("capacity", "allocatable"):
            node["status"][part][RESOURCE] = "4"

    def report(self, path: str, node: str, tasks: tuple[str, ...]) -> None:
        if self.server.object(path + node) is None:
            lists = {"1": {"tasks": [int(task) for task in tasks]}}
            own = {"0": {"tasks": [11, 12]}}
            self.server.add(path.rstrip("/"), {
                "kind": "Cmk-nodereport", "metadata": {"name": node}, "spec": {"report": {
                    "description": {"pools": {"exclusive": {"cpuLists": lists},
                                              "infra": {"cpuLists": own}}}}}})

    def uninstall(self, *arguments: str) -> str:
        done = self.run_cmk(*self.words(*arguments))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def words(self, *arguments: str) -> tuple[str, ...]:
        return ("uninstall", f"--conf-dir={self.conf}", f"--install-dir={self.install}",
                *arguments)

    def assert_free(self, node: str) -> None:
        value = self.server.node(node)
        self.assertNotIn(LABEL, value["metadata"]["labels"])
        self.assertNotIn(TAINT, value["spec"].get("taints", []))
        self.assertNotIn(RESOURCE, value["status"]["capacity"])
        for path in (REPORTS, RECONCILE_REPORTS):
            self.assertIsNone(self.server.object(path + node))
        self.assertIsNone(self.server.object(f"{SETS}/{SET}{node}"))
        self.assertEqual([name for name, pod in self.server.objects(PODS).items()
                          if pod["spec"].get("nodeName") == node], [])

    def assert_webhook(self, there: bool) -> None:
        for collection, name in WEBHOOK.items():
            self.assertEqual(self.server.object(f"{collection}/{name}") is not None, there, name)


class OneNode(UninstallCase):
    def test_all_goes_and_the_label_goes_last(self) -> None:
        self.prepare("node1")
        seen = len(self.server.requests)
        self.uninstall()
        self.assert_free("node1")
        self.assert_webhook(False)
        self.assertFalse((self.conf / "pools").exists())
        self.assertFalse((self.install / "cmk").exists())
        self.assertTrue(self.conf.exists(), "it can be a mount point")
        writes = [each for each in self.server.writes(seen) if each["status"] == 200]
        self.assertEqual(writes[0]["path"], f"{SETS}/{SET}node1")
        self.assertIn(LABEL, writes[-1]["body"])
        configuration = [each["path"] for each in writes].index(
            CONFIGURATIONS + "/cmk-webhook-config")
        self.assertIn("deployments", writes[configuration + 1]["path"])

    def test_the_second_time_does_nothing(self) -> None:
        self.prepare("node1")
        self.uninstall()
        seen = len(self.server.requests)
        self.uninstall()
        self.assertEqual([each["path"] for each in self.server.writes(seen)
                          if each["status"] != 404], [])

    def test_a_node_where_nothing_is_and_one_that_is_not(self) -> None:
        self.uninstall()
        self.server.remove_node("node1")
        self.assertIn("there is no node node1", self.uninstall())

    def test_from_every_half_way_state(self) -> None:
        step = 1
        while True:
            self.prepare("node1")
            if not self.killed_at(step, *self.words()):
                break
            self.uninstall()
            self.assert_free("node1")
            self.assert_webhook(False)
            self.assertFalse((self.conf / "pools").exists())
            step += 1
        self.assertGreater(step, 15)

    def test_after_cluster_init_that_was_killed_at_any_step(self) -> None:
        step = 1
        while self.killed_at(step, "cluster-init", "--all-hosts"):
            self.uninstall()
            self.assert_free("node1")
            self.assert_webhook(False)
            step += 1
        self.assertEqual(step, 8)

    def test_pods_of_other_commands_and_of_the_manual_are_found(self) -> None:
        self.init("--all-hosts", "--cmk-cmd-list=init,reconcile")
        for name, labels in (("cmk-init-pod", {}), ("by-hand", {"app": "cmk-reconcile-ds-all"}),
                             ("strangers", {"app": "x"})):
            self.server.add(PODS, {"kind": "Pod", "metadata": {"name": name, "labels": labels},
                                   "spec": {"nodeName": "node1", "containers": []}})
        self.server.add(SETS, {"kind": "DaemonSet", "metadata": {"name": "cmk-reconcile-ds-all"},
                               "spec": {"template": {"metadata": {"labels": {}}, "spec": {
                                   "containers": []}}}})
        self.uninstall()
        self.assertEqual(list(self.server.objects(SETS)), [])
        self.assertEqual(list(self.server.objects(PODS)), ["strangers"])

    def test_other_nodes_keep_theirs_and_the_webhook(self) -> None:
        self.prepare("node1", "node10")
        before = self.server.node("node10")
        said = self.uninstall()
        self.assertIn("the webhook stays: 1 other node still has the label", said)
        self.assert_free("node1")
        self.assert_webhook(True)
        self.assertEqual(self.server.node("node10"), before)
        self.assertIsNotNone(self.server.object(f"{SETS}/{SET}node10"))
        self.assertIsNotNone(self.server.object(f"{PODS}/{POD}node10"))

    def test_it_is_refused_while_others_use_the_pools(self) -> None:
        sleeper = subprocess.Popen(["sleep", "100"])
        self.addCleanup(sleeper.wait)
        self.addCleanup(sleeper.kill)
        self.prepare("node1", tasks=str(sleeper.pid))
        said = self.refused(*self.words(), says=("Aborting uninstall", "There are running tasks",
                                                 f"process {sleeper.pid} on CPUs 1", "--force"))
        self.assertIn(TAINT, self.server.node("node1")["spec"]["taints"], said)
        self.assertIsNotNone(self.server.object(REPORTS + "node1"))
        self.assertTrue((self.conf / "pools").exists())
        said = self.uninstall("--force")
        self.assertIn(f"--force: from now on nothing keeps other programs off the CPUs of process "
                      f"{sleeper.pid} on CPUs 1", said)
        self.assert_free("node1")
        self.assertFalse((self.conf / "pools").exists())

    def test_tasks_that_end_are_waited_for_and_dead_ones_are_none(self) -> None:
        sleeper = subprocess.Popen(["sleep", "3"])
        self.prepare("node1", tasks=f"{sleeper.pid},4194303")
        process = subprocess.Popen(self.line(*self.words()), env=self.environment(),
                                   stderr=subprocess.DEVNULL)
        sleeper.wait()
        self.assertEqual(process.wait(60), 0)
        self.assert_free("node1")

    def test_a_pod_that_does_not_end_stops_it(self) -> None:
        self.prepare("node1")
        self.server.keep_pods = True
        begin = time.monotonic()
        self.refused(*self.words("--timeout=2"), says=(f"{POD}node1 of node1 does not end",))
        self.assertLess(time.monotonic() - begin, 20)
        self.assertTrue((self.conf / "pools").exists())

    def test_from_another_machine_the_host_is_left_alone(self) -> None:
        self.prepare("node1", "node2")
        self.refused(*self.words(), node="node2", says=("node2\" is not this node", "--keep-host"))
        done = self.run_cmk(*self.words("--keep-host"), node="node2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("node2 keeps its pools and its cmk: run cmk uninstall there", done.stderr)
        self.assert_free("node2")
        self.assertTrue((self.conf / "pools").exists())

    def test_without_cmk_nothing_is_removed(self) -> None:
        self.prepare("node1")
        (self.path / "cmk").unlink()
        self.refused(*self.words(), says=("\"cmk\" is not installed here",))
        self.assertIn(TAINT, self.server.node("node1")["spec"]["taints"])

    def test_the_originals_command_line_in_a_pod_arrives_here(self) -> None:
        self.prepare("node1")
        environment = {**self.environment(), "KUBECONFIG": str(self.kubeconfig),
                       "KUBERNETES_SERVICE_HOST": "127.0.0.1"}
        done = subprocess.run([str(self.path / "cmk"), *self.words()], env=environment,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_free("node1")
        self.assertFalse((self.conf / "pools").exists())


class SeveralAtATime(UninstallCase):
    def test_the_last_of_them_removes_the_webhook(self) -> None:
        """As the manual's DaemonSet does it on every node."""
        nodes = tuple(f"node{i}" for i in range(1, 9))
        self.prepare(*nodes)
        processes = [subprocess.Popen(self.line("uninstall",
                                                f"--conf-dir={self.directory}/none",
                                                f"--install-dir={self.directory}/none"),
                                      env={**self.environment(), "NODE_NAME": node},
                                      stderr=subprocess.PIPE, text=True) for node in nodes]
        for process in processes:
            said = process.communicate(timeout=90)[1]
            self.assertEqual(process.returncode, 0, said)
        for node in nodes:
            self.assert_free(node)
        self.assert_webhook(False)


class WholeCluster(UninstallCase):
    def test_every_node_and_the_webhook(self) -> None:
        self.prepare("node1", "node2", "node3")
        self.nodes("stranger")
        before = self.server.node("stranger")
        said = self.uninstall("--cluster")
        self.assertIn("3 nodes are free of CMK", said)
        for node in ("node1", "node2", "node3"):
            self.assert_free(node)
        self.assert_webhook(False)
        self.assertEqual(self.server.node("stranger"), before)
        self.assertTrue((self.conf / "pools").exists(), "hosts are not reached from here")

    def test_from_every_half_way_state(self) -> None:
        step = 1
        while True:
            self.prepare("node1", "node2")
            if not self.killed_at(step, "uninstall", "--cluster"):
                break
            self.uninstall("--cluster")
            for node in ("node1", "node2"):
                self.assert_free(node)
            self.assert_webhook(False)
            step += 1
        self.assertGreater(step, 20)

    def test_a_node_whose_pools_are_used_keeps_what_it_needs(self) -> None:
        self.prepare("node1")
        self.prepare("node2", reported=("77",))
        self.refused("uninstall", "--cluster",
                     says=("running tasks on node2: process 77 on CPUs 1 of pool exclusive",
                           "by its node report"))
        self.assert_free("node1")
        self.assertIsNotNone(self.server.object(f"{SETS}/{SET}node2"), "what renews its report")
        self.assertIn(LABEL, self.server.node("node2")["metadata"]["labels"])
        self.assert_webhook(True)
        self.uninstall("--cluster", "--force")
        self.assert_free("node2")
        self.assert_webhook(False)

    def test_a_report_that_is_renewed_without_them_is_waited_for(self) -> None:
        self.prepare("node1", reported=("77",))
        renewal = threading.Timer(2, self.renew_report, ("node1",))
        renewal.start()
        self.addCleanup(renewal.join)
        self.uninstall("--cluster")
        self.assert_free("node1")

    def renew_report(self, node: str) -> None:
        lists = {"1": {"tasks": []}}

        def change(report: dict) -> None:
            description = report["spec"]["report"]["description"]
            description["pools"]["exclusive"]["cpuLists"] = lists

        self.server.change_object(REPORTS + node, change)

    def test_nodes_that_cluster_init_only_began_with_are_found(self) -> None:
        self.init()
        self.uninstall("--cluster")
        self.assert_free("node1")
