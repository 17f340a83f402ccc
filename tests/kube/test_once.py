# SPDX-License-Identifier: Apache-2.0
"""The commands that run once, and what the operators' manual shows after them."""

import json
import shutil
import subprocess

from kube_case import LABEL, REPORTS, RESOURCE, TAINT, KubeCase
from need import need


class Once(KubeCase):
    def kubectl(self, *arguments: str) -> str:
        done = subprocess.run(["kubectl", "--kubeconfig", str(self.kubeconfig), "--cache-dir",
                               str(self.directory / "cache"), *arguments], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_publish_leaves_what_the_manual_shows(self) -> None:
        before = self.server.node("node1")
        self.must("publish", "--once")
        node = self.server.node("node1")
        self.assertEqual(node["metadata"]["labels"],
                         {"kubernetes.io/hostname": "node1", LABEL: "true"})
        self.assertEqual(node["spec"]["taints"], before["spec"]["taints"] + [TAINT])
        self.assertEqual(node["status"]["capacity"],
                         {**before["status"]["capacity"], RESOURCE: "4"})
        self.assertEqual(node["status"]["allocatable"], before["status"]["allocatable"],
                         "only kubelet writes allocatable")
        report = self.server.object(REPORTS + "node1")
        self.assertEqual(report["metadata"]["ownerReferences"],
                         [{"apiVersion": "v1", "kind": "Node", "name": "node1",
                           "uid": node["metadata"]["uid"]}])
        pools = report["spec"]["report"]["description"]["pools"]
        self.assertEqual(sorted(pools), ["exclusive", "infra", "shared"])
        self.assertEqual(pools["infra"]["cpuLists"]["5,6,7,8,9,10,11,12,13,14,15"]["tasks"], [])
        self.assertEqual(report["status"]["coresTotal"], 4)
        reconcile = self.server.object(REPORTS.replace("nodereports", "reconcilereports") + "node1")
        self.assertEqual(reconcile["spec"]["report"], {"reclaimedCpuLists": []})

    def test_kubectl_sees_every_row_of_the_manual(self) -> None:
        need(self, shutil.which("kubectl"), "kubectl")
        self.must("publish", "--once")
        node = json.loads(self.kubectl("get", "node", "node1", "-o", "json"))
        self.assertEqual(node["metadata"]["labels"][LABEL], "true")
        self.assertIn(TAINT, node["spec"]["taints"])
        self.assertEqual(node["status"]["capacity"][RESOURCE], "4")
        report = json.loads(self.kubectl("get", "cmk-nodereport", "node1", "-o", "json"))
        self.assertIn("infra", report["spec"]["report"]["description"]["pools"])
        short = json.loads(self.kubectl("get", "cmk-nr", "node1", "-o", "json"))
        self.assertEqual(short["metadata"]["uid"], report["metadata"]["uid"])

    def test_a_second_time_changes_the_reports_time_alone(self) -> None:
        self.must("publish", "--once")
        node = self.server.node("node1")
        seen = len(self.server.requests)
        self.must("publish", "--once")
        self.assertEqual(self.server.node("node1"), node)
        self.assertEqual({(each["method"], each["path"].split("/")[-2])
                          for each in self.server.writes(seen)},
                         {("PUT", "cmk-nodereports"), ("PUT", "cmk-reconcilereports")})

    def test_nothing_is_ever_listed_and_every_patch_is_a_merge_patch(self) -> None:
        self.must("publish", "--once")
        self.must("unpublish")
        for each in self.server.requests:
            self.assertFalse(each["method"] == "GET" and each["path"].endswith(
                ("/nodes", "/cmk-nodereports")), each["path"])
            if each["method"] == "PATCH":
                self.assertEqual(each["type"], "application/merge-patch+json")
                self.assertEqual(each["query"]["fieldManager"], "cmk-publisher")

    def test_unpublish_takes_back_ours_and_nothing_else(self) -> None:
        before = self.server.node("node1")
        self.must("publish", "--once")
        self.server.change_node("node1", lambda node: node["status"]["allocatable"].update(
            {RESOURCE: "4", "example.com/gpu": "1"}))
        self.must("unpublish")
        after = self.server.node("node1")
        before["status"]["allocatable"]["example.com/gpu"] = "1"
        for value in (before, after):
            del value["metadata"]["resourceVersion"]
        self.assertEqual(after, before)
        self.assertIsNone(self.server.object(REPORTS + "node1"))
        seen = len(self.server.requests)
        self.must("unpublish")
        self.assertTrue(all(each["method"] == "DELETE" for each in self.server.writes(seen)))
        self.must("unpublish", node="absent")

    def test_discover_can_leave_the_taint_out(self) -> None:
        self.must("discover", "--no-taint")
        node = self.server.node("node1")
        self.assertNotIn(TAINT, node["spec"]["taints"])
        self.assertEqual(node["status"]["capacity"][RESOURCE], "4")
        self.must("publish", "--once", "--profile", "minimal")
        self.assertNotIn(TAINT, self.server.node("node1")["spec"]["taints"])
        self.must("discover")
        self.assertIn(TAINT, self.server.node("node1")["spec"]["taints"])

    def test_discover_needs_an_exclusive_pool(self) -> None:
        self.agent.has_exclusive = False
        self.refused("discover", says=("Exclusive pool does not exist", "cmk init"))
        self.assertEqual(self.server.writes(), [])
        self.must("publish", "--once")
        node = self.server.node("node1")
        self.assertNotIn(LABEL, node["metadata"]["labels"])
        self.assertNotIn(TAINT, node["spec"]["taints"])
        self.assertIsNotNone(self.server.object(REPORTS + "node1"))

    def test_slots_of_others_do_not_count(self) -> None:
        self.agent.lease("a", 0, pod=True)
        self.agent.lease("b", 1, pod=False, grade="D")
        self.must("publish", "--once")
        self.assertEqual(self.capacity(), "3")
        status = self.server.object(REPORTS + "node1")["status"]
        self.assertEqual((status["coresFree"], status["lowestGrade"]), (2, "D"))

    def test_reports_are_printed_and_published(self) -> None:
        printed = json.loads(self.must("node-report", "--publish"))
        self.assertEqual(self.server.object(REPORTS + "node1")["spec"]["report"], printed)
        self.assertEqual(json.loads(self.must("reconcile", "--publish")), {"reclaimedCpuLists": []})
        self.assertIn("Reconcile", self.agent.calls)

    def test_the_originals_interval_does_not_rewrite_what_is_the_same(self) -> None:
        line = self.line("node-report", "--interval=1", "--publish", "--conf-dir=/etc/other")
        with (self.directory / "out").open("w") as out:
            process = subprocess.Popen(line, stdout=out)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        out = self.directory / "out"
        self.eventually(lambda: out.read_text().count('"topology"') >= 3, "it prints each time")
        self.assertEqual([each["method"] for each in self.server.writes()], ["POST", "POST"],
                         "the definition and one report")
        path = self.server.object(REPORTS + "node1")["spec"]["report"]["description"]["path"]
        self.assertEqual(path, "/etc/other")
        self.agent.exclusive = 3
        self.eventually(lambda: self.server.writes()[-1]["method"] == "PUT", "what differs is")

    def test_a_new_definition_is_waited_for(self) -> None:
        self.server.store.crd_delay = 1.0
        self.must("node-report", "--publish")
        self.assertIsNotNone(self.server.object(REPORTS + "node1"))

    def test_a_taint_that_comes_in_between_is_kept(self) -> None:
        other = {"key": "x", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"}

        self.server.before("PATCH", "nodes/node1$", "taints", lambda: self.server.change_node(
            "node1", lambda node: node["spec"]["taints"].append(other)))
        self.must("discover")
        taints = self.server.node("node1")["spec"]["taints"]
        self.assertEqual(taints[1:], [other, TAINT])
        self.assertIn(409, [each["status"] for each in self.server.writes()])

    def test_kubelet_config_prints_the_line_and_finds_overlaps(self) -> None:
        self.assertIn('reservedSystemCPUs: "0-4"\n', self.must("kubelet-config"))
        state = self.directory / "cpu_manager_state"
        state.write_text('{"policyName":"static","defaultCpuSet":"0","entries":{"uid":{"c":"1"}},'
                         '"checksum":1}')
        self.refused("kubelet-config", "--cpu-manager-state", str(state),
                     says=("CPUs 1 of the pools", "reservedSystemCPUs"))
        state.write_text('{"policyName":"none","defaultCpuSet":"","checksum":1}')
        self.must("kubelet-config", "--cpu-manager-state", str(state))


class OldServer(KubeCase):
    version = "1.6.4"

    def test_annotation_opaque_resource_and_third_party_resources(self) -> None:
        self.server.change_node("node1", lambda node: node["spec"].pop("taints"))
        self.must("publish", "--once")
        node = self.server.node("node1")
        taints = json.loads(
            node["metadata"]["annotations"]["scheduler.alpha.kubernetes.io/taints"])
        self.assertEqual(taints, [TAINT])
        self.assertEqual(node["status"]["capacity"]["pod.alpha.kubernetes.io/opaque-int-resource-cmk"],
                         "4")
        report = self.server.object("/apis/cmk.intel.com/v1/namespaces/default/nodereports/node1")
        self.assertEqual(report["kind"], "Nodereport")
        self.assertIn("description", report["report"])
        self.must("unpublish")
        after = self.server.node("node1")
        self.assertNotIn("scheduler.alpha.kubernetes.io/taints", after["metadata"]["annotations"])
        self.assertNotIn("pod.alpha.kubernetes.io/opaque-int-resource-cmk",
                         after["status"]["capacity"])


class BetaServer(KubeCase):
    version = "1.13.4"

    def test_definitions_are_of_v1beta1(self) -> None:
        self.must("publish", "--once")
        self.assertTrue(self.is_published())
        self.assertIsNotNone(self.server.object(REPORTS + "node1"))
        self.assertTrue(any(each["path"].startswith("/apis/apiextensions.k8s.io/v1beta1/")
                            for each in self.server.writes()))


class RefusedServer(KubeCase):
    version = "1.8.0"

    def test_1_8_0_is_refused_before_anything_changes(self) -> None:
        self.refused("publish", "--once", says=("1.8.0 is not supported", "1.8.1"))
        self.assertEqual(self.server.writes(), [])
