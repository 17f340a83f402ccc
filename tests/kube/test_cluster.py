# SPDX-License-Identifier: Apache-2.0
"""cluster-init against the test API server: what it makes, what it waits for, what it says."""

import base64
import json
import pathlib
import socket
import subprocess
import time

import cluster_case
from cluster_case import CONFIGURATIONS, DEPLOYMENTS, POD, PODS, SET, SETS, WEBHOOK
from need import need

LABELS = {"cmk.intel.com/created-by": "cluster-init"}
SECRET = "/api/v1/namespaces/default/secrets/cmk-webhook-certs"


class ClusterCase(cluster_case.ClusterCase):
    def row(self, out: str, node: str) -> list[str]:
        return next(line.split("  ") for line in out.splitlines() if line.startswith(node + " "))

    def cells(self, out: str, node: str) -> list[str]:
        return [each.strip() for each in self.row(out, node) if each.strip()][1:]

    def failed_init(self, *arguments: str) -> subprocess.CompletedProcess:
        done = self.run_cmk("cluster-init", *(arguments or ("--all-hosts", "--timeout=20")))
        self.assertGreater(done.returncode, 0, done.stderr)
        return done


class ClusterInit(ClusterCase):
    def test_one_node_has_all_that_the_manual_shows(self) -> None:
        out = self.init("--host-list=node1")
        self.assertEqual(self.cells(out, "node1"), ["done", "running"])
        self.assertIn("NODE    INIT,INSTALL,DISCOVER   RECONCILE,NODEREPORT", out)
        self.assertIn("1 of 1 node prepared", out)
        pod = self.server.object(f"{PODS}/{POD}node1")
        self.assertEqual([each["name"] for each in pod["spec"]["initContainers"]], ["init"])
        self.assertEqual([each["name"] for each in pod["spec"]["containers"]],
                         ["install", "discover"])
        self.assertEqual(pod["metadata"]["labels"], {**LABELS, "cmk.intel.com/for-node": "node1"})
        daemons = self.server.object(f"{SETS}/{SET}node1")
        self.assertEqual(daemons["spec"]["selector"]["matchLabels"], {"app": SET + "node1"})
        for collection, name in WEBHOOK.items():
            self.assertIsNotNone(self.server.object(f"{collection}/{name}"), name)

    def test_three_nodes_with_blanks_between_their_names(self) -> None:
        self.nodes("node2", "node3", "node4")
        out = self.init("--host-list", " node1, node2 ,node3")
        for node in ("node1", "node2", "node3"):
            self.assertEqual(self.cells(out, node), ["done", "running"])
        self.assertIsNone(self.server.object(f"{PODS}/{POD}node4"))

    def test_a_node_that_the_cluster_has_not_is_named_before_anything_is_made(self) -> None:
        self.refused("cluster-init", "--host-list=node1,node9,node8",
                     says=("no Linux node node9, no node8",))
        self.refused("cluster-init", "--host-list=node1,No_De", says=("cannot be the name",))
        self.assertEqual(self.server.changes, 0)

    def test_all_hosts_are_those_that_take_pods(self) -> None:
        self.server.add_node("closed", unschedulable=True)
        self.server.add_node("open", unschedulable=False)
        self.server.add_node("windows")
        self.server.change_node("windows", lambda node: node["metadata"]["labels"].update(
            {"kubernetes.io/os": "windows"}))
        out = self.init("--all-hosts")
        self.assertEqual(sorted(self.server.objects(SETS)), [SET + "node1", SET + "open"])
        self.assertIn("2 of 2 nodes prepared", out)

    def test_nothing_is_done_before_the_one_shots_have_succeeded(self) -> None:
        self.nodes("node2")
        self.init()
        posts = [each["path"].rsplit("/", 1)[1] for each in self.server.requests
                 if each["method"] in ("POST", "GET") and "selfsubject" not in each["path"]
                 and (each["method"] == "POST" or "watch" in each["query"])]
        self.assertEqual(posts, ["pods", "pods", "pods", "daemonsets", "daemonsets", "pods",
                                 "secrets", "configmaps", "services", "deployments",
                                 "mutatingwebhookconfigurations"])

    def test_every_option_of_the_original_arrives(self) -> None:
        self.init("--host-list=node1", "--cmk-cmd-list=init, discover ,reconcile",
                  "--cmk-img=registry/cmk:7", "--cmk-img-pol=Always", "--conf-dir=/etc/other",
                  "--install-dir=/usr/other", "--num-exclusive-cores=2", "--num-shared-cores=3",
                  "--exclusive-mode=spread", "--shared-mode=packed", "--pull-secret=s",
                  "--saname=account", "--namespace=cmk-namespace", "--excl-non-isolcpus=3-5,9",
                  "--no-taint", "--cafile=/ca.crt", "--insecure=False")
        pods = PODS.replace("default", "cmk-namespace")
        pod = self.server.object(f"{pods}/cmk-init-discover-pod-node1")
        spec = pod["spec"]
        self.assertEqual(spec["initContainers"][0]["args"], [
            "/cmk/cmk.py init --num-exclusive-cores=2 --num-shared-cores=3 --shared-mode=packed "
            "--exclusive-mode=spread --excl-non-isolcpus=3-5,9"])
        self.assertEqual(spec["containers"][0]["args"], ["/cmk/cmk.py discover --no-taint"])
        self.assertEqual(spec["containers"][0]["image"], "registry/cmk:7")
        self.assertEqual(spec["containers"][0]["imagePullPolicy"], "Always")
        self.assertEqual(spec["imagePullSecrets"], [{"name": "s"}])
        self.assertEqual(spec["serviceAccountName"], "account")
        paths = {each["name"]: each.get("hostPath", {}).get("path") for each in spec["volumes"]}
        self.assertEqual((paths["cmk-conf-dir"], paths["cmk-install-dir"]),
                         ("/etc/other", "/usr/other"))
        self.assertEqual(list(self.server.objects(SETS.replace("default", "cmk-namespace"))),
                         ["cmk-reconcile-ds-node1"])
        webhook = self.server.object(CONFIGURATIONS + "/cmk-webhook-config")["webhooks"][0]
        self.assertEqual(webhook["namespaceSelector"]["matchExpressions"][0]["values"],
                         ["kube-system", "cmk-namespace"])
        deployment = self.server.object(DEPLOYMENTS.replace("default", "cmk-namespace")
                                        + "/cmk-webhook-deployment")
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual(container["command"][-2:], ["--cafile", "/ca.crt"])
        self.assertEqual(container["imagePullPolicy"], "Always")

    def test_names_that_are_parts_of_others_do_not_decide(self) -> None:
        self.nodes("node10", "pod-a", "a")
        self.server.fates[POD + "node10"] = "failed"
        self.server.add(PODS.replace("default", "other"), {
            "kind": "Pod", "metadata": {"name": POD + "node1"}, "spec": {"containers": []}})
        for name in ("x-" + POD + "node1-y", "cmk-init-install-discover-pod-pod-a-2"):
            self.server.fates[name] = "failed"
            self.server.add(PODS, {"kind": "Pod", "metadata": {
                "name": name, "labels": {**LABELS, "cmk.intel.com/for-node": "node1"}},
                "spec": {"containers": [{"name": "init"}], "restartPolicy": "Never"}})
        done = self.failed_init()
        self.assertEqual(self.cells(done.stdout, "node1"), ["done", "running"])
        self.assertEqual(self.cells(done.stdout, "node10"), ["failed", "-"])
        self.assertEqual(self.cells(done.stdout, "pod-a"), ["done", "running"])
        self.assertEqual(self.cells(done.stdout, "a"), ["done", "running"])
        self.assertIn("3 of 4 nodes prepared", done.stdout)

    def test_a_failure_comes_with_its_reason_and_last_log_lines(self) -> None:
        self.nodes("node2", "node3", "node4", "node5")
        self.server.fates.update({POD + "node1": "failed", POD + "node2": "evicted",
                                  POD + "node3": "no-image", SET + "node4": "crashing"})
        self.server.logs[POD + "node1"] = "".join(f"line {i}\n" for i in range(9)) + "\x1b[2Jlast"
        done = self.failed_init()
        self.assertIn(f"The Pod {POD}node1 went into Failed state: init exited with 1 (Error)\n"
                      "    line 5\n    line 6\n    line 7\n    line 8\n     [2Jlast\n",
                      done.stdout)
        self.assertIn("went into Failed state: Evicted: The node was low on memory.", done.stdout)
        self.assertIn("ErrImageNeverPull", done.stdout)
        self.assertRegex(done.stdout, r"node4: cmk-reconcile-nodereport-ds-node4-\w+: The Pod .*"
                                      "reconcile: CrashLoopBackOff: .*\n    ERROR:root:reconcile")
        self.assertEqual(self.cells(done.stdout, "node4"), ["done", "failed"])
        self.assertEqual(self.cells(done.stdout, "node5"), ["done", "running"])
        self.assertIn("Aborting cluster-init: 4 nodes failed", done.stderr)
        self.assertIsNone(self.server.object(f"{SETS}/{SET}node1"), "no daemons without pools")

    def test_a_pod_that_never_comes_ends_the_wait(self) -> None:
        self.nodes("node2")
        self.server.fates[POD + "node2"] = "never"
        begin = time.monotonic()
        done = self.failed_init("--all-hosts", "--timeout=3")
        self.assertLess(time.monotonic() - begin, 15)
        self.assertIn("not within 3 s; the last that was seen: phase Pending", done.stdout)
        self.assertEqual(self.cells(done.stdout, "node1"), ["done", "running"])

    def test_a_watch_that_breaks_is_begun_anew(self) -> None:
        self.server.fail("watch-cut", method="WATCH")
        self.server.fail("watch-410", method="WATCH")
        self.server.fail("503", method="WATCH")
        self.init()

    def test_what_may_pass_is_asked_again(self) -> None:
        self.server.fail("429-text", method="POST", path="/pods$")
        self.server.fail("cut", method="POST", path="/daemonsets$")
        self.init()

    def test_the_second_time_changes_nothing(self) -> None:
        self.nodes("node2")
        self.init()
        before = {path: self.server.objects(path) for path in (PODS, SETS, *WEBHOOK)}
        out = self.init()
        self.assertEqual(self.cells(out, "node1"), ["done before", "running"])
        self.assertEqual({path: self.server.objects(path) for path in before}, before)

    def test_other_options_replace_what_is_there(self) -> None:
        self.init()
        old = self.server.object(f"{PODS}/{POD}node1")["metadata"]["uid"]
        secret = self.server.object(SECRET)
        self.server.change_object("/api/v1/namespaces/default/configmaps/cmk-webhook-configmap",
                                  lambda each: each["data"].update({"mutations.yaml": "mine"}))
        out = self.init("--all-hosts", "--cmk-img=cmk:new")
        self.assertEqual(self.cells(out, "node1"), ["done", "running"])
        pod = self.server.object(f"{PODS}/{POD}node1")
        self.assertNotEqual(pod["metadata"]["uid"], old)
        self.assertEqual(pod["spec"]["containers"][-1]["image"], "cmk:new")
        deployment = self.server.object(DEPLOYMENTS + "/cmk-webhook-deployment")
        self.assertEqual(deployment["spec"]["template"]["spec"]["containers"][0]["image"],
                         "cmk:new")
        self.assertEqual(self.server.object(
            "/api/v1/namespaces/default/configmaps/cmk-webhook-configmap")["data"]
            ["mutations.yaml"], "mine", "an administrator's")
        self.assertEqual(self.server.object(
            "/api/v1/namespaces/default/secrets/cmk-webhook-certs"), secret)

    def test_a_failed_pod_is_made_anew(self) -> None:
        self.server.fates[POD + "node1"] = "failed"
        self.failed_init()
        self.server.fates.clear()
        self.assertEqual(self.cells(self.init(), "node1"), ["done", "running"])

    def test_after_a_crash_at_each_step_it_goes_on(self) -> None:
        self.nodes("node2")
        step = 1
        while self.killed_at(step, "cluster-init", "--all-hosts", "--timeout=20"):
            self.init()
            self.assertEqual(sorted(self.server.objects(PODS).keys() - self.daemon_pods()),
                             [POD + "node1", POD + "node2"])
            self.assert_webhook_fits()
            for path in (PODS, SETS, *WEBHOOK):
                for name in self.server.objects(path):
                    if self.server.object(f"{path}/{name}") is not None:
                        self.server.delete(f"{path}/{name}")
            step += 1
        self.assertEqual(step, 10, "two pods, two DaemonSets, five objects")

    def daemon_pods(self) -> set[str]:
        return {name for name, pod in self.server.objects(PODS).items()
                if "ownerReferences" in pod["metadata"]}

    def assert_webhook_fits(self) -> None:
        """The bundle verifies the certificate that the Secret serves."""
        secret = self.server.object(SECRET)
        webhook = self.server.object(CONFIGURATIONS + "/cmk-webhook-config")["webhooks"][0]
        bundle, certificate = self.directory / "bundle.pem", self.directory / "cert.pem"
        bundle.write_bytes(base64.b64decode(webhook["clientConfig"]["caBundle"]))
        certificate.write_bytes(base64.b64decode(secret["data"]["cert.pem"]))
        done = subprocess.run(["openssl", "verify", "-CAfile", bundle, "-verify_hostname",
                               "cmk-webhook-service.default.svc", certificate],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_is_not_allowed_is_named_before_anything_is_made(self) -> None:
        self.server.tokens["t"] = "limited"
        self.server.roles["limited"] = {"list nodes", "watch pods", "create pods", "get pods"}
        limited = self.server.kubeconfig("limited", user={"token": "t"})
        said = self.refused("cluster-init", "--all-hosts", kubeconfig=limited,
                            says=("delete pods in namespace default", "create daemonsets.apps",
                                  "patch mutatingwebhookconfigurations.admissionregistration.k8s.io",
                                  "Nothing was changed"))
        self.assertNotIn("list nodes", said)
        self.assertEqual(self.server.changes, 0)

    def test_500_nodes_cost_few_requests_each(self) -> None:
        self.nodes(*(f"node{i}" for i in range(2, 501)))
        begin = time.monotonic()
        out = self.must("cluster-init", "--all-hosts", "--timeout=90")
        took = time.monotonic() - begin
        self.assertIn("500 of 500 nodes prepared", out)
        each = len(self.server.requests) / 500
        print(f"\n500 nodes: {each:.3f} requests each, {took:.1f} s", flush=True)
        self.assertLessEqual(each, 6)
        seen = len(self.server.requests)
        self.must("cluster-init", "--all-hosts", "--timeout=90")
        again = (len(self.server.requests) - seen) / 500
        print(f"500 nodes again: {again:.3f} requests each", flush=True)
        self.assertLessEqual(again, 6)

    def test_wrong_options_are_refused_with_the_originals_texts(self) -> None:
        for option, text in (
                ("--cmk-cmd-list=fakecmd1, fakecmd2", "CMK command should be one of ['init', "
                 "'discover', 'install', 'reconcile', 'nodereport']"),
                ("--cmk-cmd-list=discover, init", "init command should be run and listed first."),
                ("--cmk-img-pol=fakepol1", "Image pull policy should be one of ['Never', "
                 "'IfNotPresent', 'Always']"),
                ("--num-exclusive-cores=-1", "num_exclusive_cores cores should be a positive "
                 "integer."),
                ("--num-shared-cores=10.5", "num_shared_cores cores should be a positive integer."),
                ("--shared-mode=packed; reboot", "--shared-mode"),
                ("--conf-dir=etc", "--conf-dir")):
            self.refused("cluster-init", "--host-list=node1", option, says=(text,))
        self.assertEqual(self.server.requests, [])

    def test_the_originals_command_lines_arrive_here(self) -> None:
        line = [str(self.path / "cmk"), "cluster-init", "--host", "node1", "--cmk-img-p=Never",
                "--cmk-cmd-list", "init"]
        environment = {**self.environment(), "KUBECONFIG": str(self.kubeconfig)}
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        pod = self.server.object(f"{PODS}/cmk-init-pod-node1")
        self.assertEqual(pod["spec"]["containers"][0]["imagePullPolicy"], "Never")
        self.assertNotIn("initContainers", pod["spec"])


class WebhookObjects(ClusterCase):
    def bundle(self) -> str:
        webhook = self.server.object(CONFIGURATIONS + "/cmk-webhook-config")["webhooks"][0]
        return base64.b64decode(webhook["clientConfig"]["caBundle"]).decode()

    def secret(self) -> dict:
        secret = self.server.object(SECRET)
        return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}

    def test_they_are_as_they_should_be(self) -> None:
        self.init()
        webhook = self.server.object(CONFIGURATIONS + "/cmk-webhook-config")["webhooks"][0]
        self.assertEqual(
            {key: webhook[key] for key in ("name", "sideEffects", "failurePolicy", "timeoutSeconds",
                                           "reinvocationPolicy", "admissionReviewVersions")},
            {"name": "cmk.intel.com", "sideEffects": "None", "failurePolicy": "Ignore",
             "timeoutSeconds": 5, "reinvocationPolicy": "IfNeeded",
             "admissionReviewVersions": ["v1", "v1beta1"]})
        self.assertEqual(webhook["matchConditions"][0]["name"], "asks-for-cores")
        service = self.server.object("/api/v1/namespaces/default/services/cmk-webhook-service")
        self.assertEqual([(p["port"], p["targetPort"]) for p in service["spec"]["ports"]],
                         [(443, 8443)])
        spec = self.server.object(DEPLOYMENTS + "/cmk-webhook-deployment")["spec"]
        self.assertEqual(spec["replicas"], 2)
        self.assertIn("podAntiAffinity", spec["template"]["spec"]["affinity"])

    def test_the_originals_secret_is_kept_and_trusted(self) -> None:
        certificates = self.server.certificates
        text = base64.b64encode(certificates.ca.read_bytes()).decode()
        self.server.add("/api/v1/namespaces/default/secrets", {
            "kind": "Secret", "metadata": {"name": "cmk-webhook-certs"},
            "data": {"cert.pem": text, "key.pem": "S0VZ"}})
        self.init()
        self.assertEqual(self.bundle(), certificates.ca.read_text())
        self.assertEqual(set(self.secret()), {"cert.pem", "key.pem"})

    def test_a_bundle_that_vouches_for_the_secret_is_kept(self) -> None:
        self.init()
        bundle = self.bundle()
        self.server.change_object(SECRET, lambda secret: secret["data"].pop("ca.pem"))
        self.init("--all-hosts", "--cmk-img=cmk:v9")
        self.assertEqual(self.bundle(), bundle)

    def test_a_webhook_of_others_stays_as_it_is(self) -> None:
        self.init("--all-hosts", "--no-webhook")
        for path in WEBHOOK:
            self.assertEqual(list(self.server.objects(path)), [])
        self.assertFalse(any("secrets" in each["path"] for each in self.server.requests))

    def test_a_secret_without_a_certificate_gets_one(self) -> None:
        self.server.add("/api/v1/namespaces/default/secrets", {
            "kind": "Secret", "metadata": {"name": "cmk-webhook-certs"},
            "data": {"cert.pem": "Q0VSVA==", "key.pem": "S0VZ"}})
        self.init()
        self.assertEqual(self.bundle(), self.secret()["ca.pem"])

    def test_rotation_adds_then_replaces_then_drops(self) -> None:
        self.init()
        first_ca, first = self.bundle(), self.secret()
        self.must("webhook-certs", "--cluster")
        second = self.secret()
        self.assertEqual(self.bundle(), first_ca + second["ca.pem"])
        self.assertNotEqual(second["cert.pem"], first["cert.pem"])
        writes = [(each["method"], each["path"].split("/")[-2]) for each in self.server.writes()
                  if "selfsubject" not in each["path"]]
        self.assertEqual(writes[-2:], [("PUT", "mutatingwebhookconfigurations"),
                                       ("PATCH", "secrets")])
        self.must("webhook-certs", "--cluster")
        third = self.secret()
        self.assertEqual(self.bundle(), second["ca.pem"] + third["ca.pem"], "the first is gone")

    def test_rotation_goes_on_after_a_crash_at_each_step(self) -> None:
        self.init()
        for step in (1, 2):
            self.assertTrue(self.killed_at(step, "webhook-certs", "--cluster"))
            served = self.secret()
            self.assertIn(served["ca.pem"], self.bundle(), "what is served is trusted")
            self.must("webhook-certs", "--cluster")
            self.assertIn(self.secret()["ca.pem"], self.bundle())
            self.assertEqual(self.bundle().count("BEGIN"), 2)

    def test_somebody_elses_change_in_between_is_kept(self) -> None:
        self.init()
        self.server.before("PUT", "webhookconfigurations/", "", lambda: self.server.change_object(
            CONFIGURATIONS + "/cmk-webhook-config",
            lambda each: each["metadata"]["labels"].update({"mine": "1"})))
        self.must("webhook-certs", "--cluster")
        configuration = self.server.object(CONFIGURATIONS + "/cmk-webhook-config")
        self.assertEqual(configuration["metadata"]["labels"]["mine"], "1")
        self.assertIn(self.secret()["ca.pem"], self.bundle())

    def test_without_the_objects_there_is_nothing_to_rotate(self) -> None:
        self.refused("webhook-certs", "--cluster", says=("cmk-k8s cluster-init makes it",))


class OlderServer(ClusterCase):
    version = "1.13.4"

    def test_the_configuration_is_of_v1beta1(self) -> None:
        self.init()
        made = self.server.object(CONFIGURATIONS.replace("/v1/", "/v1beta1/")
                                  + "/cmk-webhook-config")
        self.assertTrue(made["apiVersion"].endswith("v1beta1"))
        self.assertNotIn("matchConditions", made["webhooks"][0])


class OldServer(ClusterCase):
    version = "1.8.4"

    def test_the_daemons_are_of_extensions_and_there_is_no_webhook(self) -> None:
        self.init()
        made = self.server.objects("/apis/extensions/v1beta1/namespaces/default/daemonsets")
        self.assertNotIn("selector", made[SET + "node1"]["spec"])
        self.assertFalse([each for each in self.server.writes() if "webhook" in each["path"]])


class OldestServer(ClusterCase):
    version = "1.6.4"

    def test_init_is_in_an_annotation(self) -> None:
        self.init()
        pod = self.server.object(f"{PODS}/{POD}node1")
        made = json.loads(pod["metadata"]["annotations"]["pod.beta.kubernetes.io/init-containers"])
        self.assertEqual([each["name"] for each in made], ["init"])
        self.assertNotIn("initContainers", pod["spec"])


class RefusedServer(ClusterCase):
    version = "1.8.0"

    def test_1_8_0_is_refused(self) -> None:
        self.refused("cluster-init", "--all-hosts", says=("1.8.0 is not supported",))
        self.assertEqual(self.server.changes, 0)


class Handed(ClusterCase):
    """The original's command lines, as pods and people run them."""

    def setUp(self) -> None:
        super().setUp()
        self.make_directory("4194303")

    def cmk(self, *words: str) -> subprocess.CompletedProcess:
        environment = {**self.environment(), "KUBECONFIG": str(self.kubeconfig)}
        return subprocess.run([str(self.path / "cmk"), *words], capture_output=True, text=True,
                              timeout=60, env=environment)

    def test_discover_and_reports_of_a_node_without_the_agent(self) -> None:
        conf = f"--conf-dir={self.conf}"
        done = self.cmk("discover", conf, "--no-taint")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.capacity(), "1")
        self.assertNotIn("cmk", [each["key"] for each in self.server.node("node1")["spec"]["taints"]])
        self.assertEqual(self.cmk("discover", conf).returncode, 0)
        self.assertTrue(self.is_published(1))
        self.server.define_reports()
        done = self.cmk("reconcile", conf, "--publish")
        self.assertEqual(done.returncode, 0, done.stderr)
        reclaimed = [{"cpus": "1", "pid": 4194303, "pool": "exclusive"}]
        self.assertEqual(json.loads(done.stdout), {"reclaimedCpuLists": reclaimed})
        reports = "/apis/intel.com/v1/namespaces/default/"
        report = self.server.object(reports + "cmk-reconcilereports/node1")["spec"]["report"]
        self.assertEqual(report, {"reclaimedCpuLists": reclaimed})
        done = self.cmk("node-report", conf, "--publish")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = self.server.object(reports + "cmk-nodereports/node1")
        self.assertEqual(report["spec"]["report"], json.loads(done.stdout))
        self.assertEqual(report["spec"]["report"]["description"]["path"], str(self.conf))
        self.assertEqual(report["status"]["coresTotal"], 1)

    def test_the_webhooks_options_are_known(self) -> None:
        done = self.cmk("webhook", "--conf-file=/none/server.yaml", "--insecure=True",
                        "--cafile=/none/ca.crt")
        self.assertGreater(done.returncode, 0)
        self.assertIn("cannot open /none/server.yaml", done.stderr)
        self.assertNotIn("--insecure", done.stderr)

    def in_a_pod(self, script: str, sockets: str = "cmk-admin") -> subprocess.CompletedProcess:
        """With the directory of one socket alone, as a pod of cluster-init has it."""
        lines = (f"mount -t tmpfs none /run && mkdir /run/{sockets} && "
                 f"ln -s {self.directory}/pod.sock /run/{sockets}/agent.sock && {script}")
        return subprocess.run(["unshare", "--mount", "sh", "-c", lines], capture_output=True,
                              text=True, timeout=60,
                              env={**self.environment(), "KUBECONFIG": str(self.kubeconfig)})

    def test_pods_are_served_by_the_nodes_agent_if_it_answers(self) -> None:
        need(self, self.in_a_pod("true").returncode == 0, "the right to make mount namespaces")
        need(self, not pathlib.Path("/etc/cmk/pools").exists(), "an /etc/cmk without pools")
        (self.directory / "pod.sock").symlink_to(self.agent.path)
        for sockets in ("cmk-admin", "cmk-observe"):
            done = self.in_a_pod("cmk describe && cmk discover", sockets)
            self.assertEqual(done.returncode, 0, done.stderr)
            pools = json.loads(done.stdout)["pools"]
            self.assertEqual(sorted(pools), ["exclusive", "infra", "shared"])
            self.assertTrue(self.is_published(4))
        self.agent.stop()
        dead = socket.socket(socket.AF_UNIX)  # nobody listens
        self.addCleanup(dead.close)
        dead.bind(str(self.agent.path))
        done = self.in_a_pod("cmk describe")
        self.assertGreater(done.returncode, 0)
        self.assertIn("/etc/cmk", done.stderr, "it is the directory's turn")
