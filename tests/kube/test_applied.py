# SPDX-License-Identifier: Apache-2.0
"""The manifests in a cluster: kubectl applies them, and the programs work with the accounts that
they make, with no right more or less."""

import base64
import pathlib
import shutil
import subprocess
import tempfile

import yaml

from certificates import Certificates
from cluster_case import CONFIGURATIONS, PODS, SETS, ClusterCase
from kube_case import LABEL, RESOURCE, KubeCase
from manifests import KUSTOMIZE, MANIFESTS, files, kustomized, read
from need import need
from rbac import Rbac

SECRETS = "/api/v1/namespaces/cmk-system/secrets/cmk-webhook-certs"
CONFIG = CONFIGURATIONS + "/cmk-webhook-config"


class Account:
    """Lets a test be the ServiceAccount of manifests."""

    def be(self: KubeCase, objects: list[dict], account: str, namespace: str = "default") -> Rbac:
        rbac = Rbac(objects, account, namespace)
        self.assertTrue(rbac.grants, f"{account} is bound to nothing")
        self.server.tokens["account"] = account
        self.server.roles[account] = rbac
        self.kubeconfig = self.server.kubeconfig("account", user={"token": "account"})
        return rbac

    def assert_fits(self: KubeCase, rbac: Rbac, *unused: str) -> None:
        self.assertEqual(rbac.refused, [])
        self.assertEqual(rbac.unused(), set(unused))


class Applied(ClusterCase, Account):
    def setUp(self) -> None:
        super().setUp()
        need(self, shutil.which("kubectl"), "kubectl")

    def kubectl(self, *words: object) -> str:
        # The definitions are checked by the server.
        line = ["kubectl", "--kubeconfig", str(self.server.kubeconfig("kubectl")), *map(str, words)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": self.environment()["PATH"], "HOME": str(self.directory)})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def apply(self, *words: object) -> str:
        return self.kubectl("apply", "--validate=false", *words)

    def bundle(self) -> str:
        config = self.server.object(CONFIG)["webhooks"][0]["clientConfig"]
        return base64.b64decode(config.get("caBundle", "")).decode()

    def certificate(self) -> str:
        data = self.server.object(SECRETS).get("data", {})
        return base64.b64decode(data.get("cert.pem", "")).decode()

    def rotate(self, *words: str) -> None:
        self.must("webhook-certs", "--cluster", "--namespace=cmk-system", *words)

    def test_the_base_is_applied_and_its_rotation_kept(self) -> None:
        self.apply("-k", KUSTOMIZE / "server-1.30")
        self.assertEqual((self.bundle(), self.certificate()), ("", ""))
        rbac = self.be(kustomized(MANIFESTS), "cmk-webhook-rotation", "cmk-system")
        self.rotate()
        first, trusted = self.certificate(), self.bundle()
        self.assertEqual(trusted.count("BEGIN"), 1)
        self.rotate()
        self.assertIn(trusted, self.bundle())
        self.assertEqual(self.bundle().count("BEGIN"), 2)
        self.assertNotEqual(self.certificate(), first)
        self.assert_fits(rbac)
        kept = self.server.object(SECRETS)["data"], self.server.object(CONFIG)["webhooks"]
        again = self.apply("-k", KUSTOMIZE / "server-1.30")
        self.assertNotIn("created", again)
        self.assertEqual((self.server.object(SECRETS)["data"],
                          self.server.object(CONFIG)["webhooks"]), kept)

    def test_a_certificate_of_the_operators_takes_its_place(self) -> None:
        self.apply("-k", MANIFESTS)
        self.be(kustomized(MANIFESTS), "cmk-webhook-rotation", "cmk-system")
        self.rotate()
        ours = self.bundle()
        made = tempfile.TemporaryDirectory(prefix="cmk-operator-")
        self.addCleanup(made.cleanup)
        authority = Certificates(pathlib.Path(made.name), "company")

        def issued(names: str) -> list[str]:
            certificate, key = authority.issue("webhook", "/CN=webhook", names)
            return [f"--cert={certificate}", f"--key={key}", f"--ca={authority.ca}"]

        before = self.server.changes
        self.refused("webhook-certs", "--cluster", "--namespace=cmk-system",
                     *issued("DNS:cmk.example.com"),
                     says=("webhook.crt", "not for cmk-webhook-service.cmk-system.svc",
                           "cmk.example.com"))
        self.assertEqual(self.server.changes, before)
        self.rotate(*issued("DNS:cmk-webhook-service.cmk-system.svc"))
        self.assertEqual(self.bundle(), ours + authority.ca.read_text())
        self.assertEqual(self.certificate(), (authority.directory / "webhook.crt").read_text())
        self.rotate(*issued("DNS:cmk-webhook-service.cmk-system.svc"))
        self.assertEqual(self.bundle(), authority.ca.read_text())

    def test_cluster_init_asks_the_webhook_as_the_overlay_does(self) -> None:
        self.init("--all-hosts", "--namespace=cmk-system")
        made = self.server.object(CONFIG)["webhooks"][0]["matchConditions"]
        patch = yaml.safe_load((KUSTOMIZE / "server-1.30" / "match-conditions.yaml").read_text())
        self.assertEqual(patch[0]["value"], made)

    def test_the_templates_are_applied_and_uninstall_finds_them(self) -> None:
        for path in files():
            kinds = {each["kind"] for each in read(path)}
            if path.parent != MANIFESTS or kinds & {"Certificate", "PodMonitor"}:
                continue
            self.apply("-f", path)
            if "isolate" in path.name:  # all three have one name
                self.assertIn("cmk-isolate-pod", self.server.objects(PODS))
                self.server.delete(PODS + "/cmk-isolate-pod")
        for name in ("cmk-init-pod", "cmk-discover-pod", "cmk-install-pod", "cmk-cluster-init-pod"):
            self.server.change_object(f"{PODS}/{name}",
                                      lambda pod: pod["spec"].update(nodeName="node1"))
        self.must("uninstall", "--keep-host", node="node1")
        pods = {name for name in self.server.objects(PODS) if name.endswith("-pod")}
        self.assertEqual(pods, {"cmk-uninstall-pod", "cmk-webhook-pod"})
        self.assertEqual(set(self.server.objects(SETS)),
                         {"cmk-publisher", "cmk-uninstall-all-nodes"})
        self.assertIsNone(self.server.object(CONFIG))

    def test_cluster_init_has_the_rights_that_it_needs(self) -> None:
        rbac = self.be(read(MANIFESTS / "cmk-rbac-cluster-init.yaml"), "cmk-cluster-init")
        self.nodes("node2")
        self.server.define_reports()
        self.server.fates["cmk-reconfigure-pod-node2"] = "failed"
        self.init()
        def publish(node: dict) -> None:
            node["metadata"]["labels"][LABEL] = "true"
            node["status"]["capacity"][RESOURCE] = "4"

        self.server.change_node("node2", publish)
        self.refused("reconfigure_setup", "--timeout=5", says=("node2",))
        self.server.change_object("/api/v1/namespaces/default/services/cmk-webhook-service",
                                  lambda service: service["spec"]["ports"][0].update(port=1))
        self.server.change_object(CONFIG, lambda config: config["webhooks"][0].update(
            failurePolicy="Fail"))
        self.init("--all-hosts", "--num-shared-cores=2", "--cmk-img=cmk:v9")  # patches and replaces
        self.must("webhook-certs", "--cluster")
        self.must("uninstall", "--keep-host", node="node1")
        self.must("uninstall", "--cluster")
        # Old servers have DaemonSets in the other group.
        self.assert_fits(rbac, *(f"{verb} daemonsets"
                                 for verb in ("list", "create", "get", "delete")))


class Published(KubeCase, Account):
    def test_the_publisher_has_the_rights_that_it_needs(self) -> None:
        self.server.define_reports()
        rbac = self.be(read(MANIFESTS / "cmk-rbac-publisher.yaml"), "cmk-publisher")
        for cores, verb in ((4, "create"), (3, "update")):
            self.agent.exclusive = cores
            daemon = self.daemon()
            reports = {f"{verb} cmk-nodereports", f"{verb} cmk-reconcilereports"}
            self.eventually(lambda: self.is_published(cores) and not reports & rbac.unused())
            if verb == "update":
                self.agent.resize(2)
                self.eventually(lambda: "create events" not in rbac.unused(), "no event")
            daemon.stop()
        self.must("unpublish")
        # The heartbeat comes after minutes.
        self.assert_fits(rbac, "patch cmk-nodereports", "patch cmk-reconcilereports")

    def test_the_templates_account_has_the_rights_that_it_needs(self) -> None:
        rbac = self.be(read(MANIFESTS / "cmk-rbac-rules.yaml"), "cmk-serviceaccount")
        reports = [f"/apis/intel.com/v1/namespaces/default/{kind}/node1"
                   for kind in ("cmk-nodereports", "cmk-reconcilereports")]
        for cores in (4, 3, 2):
            self.agent.exclusive = cores
            for words in (("discover",), ("node-report", "--publish"), ("reconcile", "--publish")):
                self.must(*words)
            if cores == 3:  # of no Node, so that they are made anew
                for path in reports:
                    self.server.change_object(
                        path, lambda report: report["metadata"].pop("ownerReferences"))
        self.assert_fits(rbac)
