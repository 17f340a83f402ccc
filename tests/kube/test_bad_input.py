# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong, the error names the request, the reason, and what to grant or mend."""

import json
import time

from kube_case import REPORTS, KubeCase

PUBLISHER = {"get nodes", "watch nodes", "patch nodes", "patch nodes/status",
             *(f"{verb} {kind}" for kind in ("cmk-nodereports", "cmk-reconcilereports")
               for verb in ("get", "create", "update", "patch", "delete"))}


class BadInput(KubeCase):
    def limited(self, *missing: str) -> object:
        self.server.tokens["weak"] = "weak"
        self.server.roles["weak"] = PUBLISHER - set(missing)
        return self.server.kubeconfig("weak", {"token": "weak"})

    def test_the_documented_verbs_are_enough(self) -> None:
        self.server.define_reports()
        self.must("publish", "--once", kubeconfig=self.limited())
        self.assertTrue(self.is_published())
        self.must("unpublish", kubeconfig=self.limited())

    def test_each_missing_verb_is_named(self) -> None:
        self.server.define_reports()
        cases = [("get nodes", "get on nodes "), ("patch nodes", "patch on nodes "),
                 ("patch nodes/status", "patch on nodes/status"),
                 ("get cmk-nodereports", "get on cmk-nodereports"),
                 ("create cmk-nodereports", "create on cmk-nodereports"),
                 ("create cmk-reconcilereports", "create on cmk-reconcilereports")]
        for missing, says in cases:
            with self.subTest(missing):
                self.must("unpublish")
                self.refused("publish", "--once", kubeconfig=self.limited(missing),
                             says=("403", "grant the verb " + says, "cmk-publisher"))
        self.must("publish", "--once")
        self.agent.exclusive = 3
        self.refused("publish", "--once", kubeconfig=self.limited("update cmk-nodereports"),
                     says=("grant the verb update on cmk-nodereports",))
        self.refused("unpublish", kubeconfig=self.limited("delete cmk-nodereports"),
                     says=("grant the verb delete on cmk-nodereports",))

    def test_what_is_allowed_is_done_all_the_same(self) -> None:
        self.server.define_reports()
        self.refused("publish", "--once", kubeconfig=self.limited("patch nodes/status"), says=())
        self.assertIsNotNone(self.server.object(REPORTS + "node1"))
        self.assertIn("cmk.intel.com/cmk-node", self.server.node("node1")["metadata"]["labels"])

    def test_an_absent_definition_names_the_manifest(self) -> None:
        self.refused("node-report", "--publish", kubeconfig=self.limited(),
                     says=("cmk-nodereports", "kubectl apply -f cmk-crds.yaml"))

    def test_somebody_elses_definition(self) -> None:
        self.server.define_reports()
        definitions = self.server.store.objects[
            ("apiextensions.k8s.io", "customresourcedefinitions", "")]
        definitions["cmk-nodereports.intel.com"]["spec"]["names"]["kind"] = "Cmknodereport"
        self.refused("node-report", "--publish", kubeconfig=self.limited(),
                     says=("400", "Cmknodereport"))

    def test_kubelets_credential_does_what_it_may(self) -> None:
        self.server.define_reports()
        certificate, key = self.server.certificates.issue(
            "kubelet", "/O=system:nodes/CN=system:node:node1")
        self.server.roles["system:node:node1"] = {"get nodes", "patch nodes", "patch nodes/status"}
        kubeconfig = self.server.kubeconfig("kubelet", {"client-certificate": str(certificate),
                                                        "client-key": str(key)})
        self.server.fail("taint", method="PATCH", path="nodes/node1$", body="taints")
        done = self.run_cmk("discover", kubeconfig=kubeconfig)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("register-with-taints", done.stderr)
        self.assertEqual(self.capacity(), "4")
        self.server.fail("taint", method="PATCH", path="nodes/node1$", body="taints")
        self.refused("publish", "--once", kubeconfig=kubeconfig,
                     says=("kubectl create clusterrolebinding", "--group=system:nodes"))

    def test_credentials(self) -> None:
        absent = self.directory / "absent"
        self.refused("discover", kubeconfig=absent, says=("absent", "No such file"))
        (self.directory / "garbage").write_text("a: [")
        self.refused("discover", kubeconfig=self.directory / "garbage", says=("garbage", "line 1"))
        self.refused("discover", kubeconfig=self.server.kubeconfig("old", {"token": "expired"}),
                     says=("401", "renew the token"))
        self.refused("discover", kubeconfig=self.server.kubeconfig("exec", {
            "exec": {"command": "aws-iam-authenticator"}}), says=("aws-iam-authenticator",))
        self.refused("discover", kubeconfig=self.server.kubeconfig("file", {
            "tokenFile": str(absent)}), says=(str(absent),))

    def test_certificates_are_verified(self) -> None:
        (self.directory / "other").mkdir()
        other = type(self.server.certificates)(self.directory / "other", "other-ca")
        stranger = self.server.kubeconfig("stranger", **{"certificate-authority": str(other.ca)})
        self.refused("discover", kubeconfig=stranger, says=("certificate", "certificate-authority"))
        self.assertEqual(self.server.requests, [], "nothing was sent to a stranger")
        self.server.use(self.server.certificates, "DNS:elsewhere")
        self.refused("discover", says=("certificate", "mismatch"))
        self.must("discover", kubeconfig=self.server.kubeconfig(
            "named", **{"tls-server-name": "elsewhere"}))
        insecure = self.server.kubeconfig("insecure", **{"insecure-skip-tls-verify": True})
        self.must("discover", kubeconfig=insecure)

    def test_a_wrong_node(self) -> None:
        self.refused("discover", node="nope", says=('nodes "nope" not found', "--node"))
        self.assertIsNone(self.server.node("nope"), "a Node is never made")
        self.refused("discover", node="Not A Node", says=("cannot be the name of a Node",))

    def test_no_server_and_no_agent(self) -> None:
        dead = self.server.kubeconfig("dead", server="https://127.0.0.1:1")
        begin = time.monotonic()
        self.refused("unpublish", kubeconfig=dead, says=("https://127.0.0.1:1", "cannot connect"))
        self.assertLess(time.monotonic() - begin, 60)
        self.agent.stop()
        self.refused("discover", says=("cannot reach the agent",))

    def test_answers_that_are_not_what_they_should_be(self) -> None:
        for how in ("garbage", "lie"):
            with self.subTest(how):
                self.server.fail(how, method="GET", path="/nodes/node1")
                self.refused("discover", says=("no Node",))
        self.server.fail("garbage", method="GET", path="/version")
        self.refused("discover", says=("version",))

    def test_what_passes_is_waited_for(self) -> None:
        for how in ("429-text", "429-status", "500", "503", "504-bare", "cut"):
            with self.subTest(how):
                self.server.fail(how, method="GET", path="/version")
                self.must("discover")
        begin = time.monotonic()
        self.server.fail("429-text", method="GET", path="/version")
        self.must("discover")
        self.assertGreater(time.monotonic() - begin, 0.95, "Retry-After is honoured")

    def test_it_gives_up_at_last(self) -> None:
        self.server.fail("503", method="GET", path="/version", times=20)
        self.refused("discover", says=("503",))

    def test_usage(self) -> None:
        for arguments in (("publish", "--profile", "other"), ("node-report",), ("publish", "-x")):
            done = self.run_cmk(*arguments)
            self.assertEqual(done.returncode, 2, done.stderr)


class Shapes(KubeCase):
    def test_a_large_count_is_not_written_again_and_again(self) -> None:
        self.agent.cpus, self.agent.exclusive = 2048, 2000
        self.must("discover")
        self.assertEqual(self.capacity(), "2k", "servers rewrite quantities")
        seen = len(self.server.requests)
        self.must("discover")
        self.assertEqual(self.server.writes(seen), [])

    def test_odd_annotations_and_labels_are_left_alone(self) -> None:
        odd = json.loads('{"a": "b\\u00e9\\n", "scheduler.alpha.kubernetes.io/taints": "[]"}')
        self.server.change_node("node1", lambda node: node["metadata"].update(annotations=odd))
        self.must("discover")
        self.assertEqual(self.server.node("node1")["metadata"]["annotations"], odd)
