# SPDX-License-Identifier: Apache-2.0
"""What the manifests say: servers take them, they agree with one another, and they grant no more
than they must."""

import copy
import re
import shutil
import unittest

import yaml

from refusals import Refusal
from manifests import (CHART, KUSTOMIZE, MANIFESTS, SERVERS, SINCE, Definitions, by_name, files,
                       kustomized, pod_spec, project_version, read, rendered)
from need import need

# As the original's templates are called, without "cmk-" and ".yaml".
TEMPLATES = ("namespace serviceaccount rbac-rules cluster-init-pod init-pod discover-pod install-pod "
             "reconcile-daemonset nodereport-daemonset isolate-pod isolate-pod-no-webhook "
             "legacy-isolate-pod uninstall-pod uninstall-all-daemonset webhook-certs webhook-config "
             "webhook-configmap webhook-service webhook-pod webhook-deployment").split()
OURS = ("app.kubernetes.io/", "helm.sh/")


def plain(value: dict) -> dict:
    """Without what stands for nothing, and is only the way of the one or the other program."""
    value = copy.deepcopy(value)
    metadata = value["metadata"]
    metadata["labels"] = {key: each for key, each in metadata.get("labels", {}).items()
                          if not key.startswith(OURS)}
    if not metadata["labels"]:
        del metadata["labels"]
    if value["kind"] == "MutatingWebhookConfiguration":
        metadata.pop("namespace", None)  # kustomize of kubectl 1.20 gives it one
    if value["kind"] == "ConfigMap":
        value["data"] = {name: yaml.safe_load(each) for name, each in value["data"].items()}
    spec = pod_spec(value)
    if spec is not None:
        spec["volumes"] = sorted(spec.get("volumes", []), key=lambda each: each["name"])
        for each in spec["containers"]:
            each.pop("imagePullPolicy", None)
    return value


class Manifests(unittest.TestCase):
    definitions = {server: Definitions(server) for server in SERVERS}

    def check(self, values: list[dict], since: int = 0) -> None:
        for value in values:
            checked = 0
            for server, definitions in self.definitions.items():
                minor = int(server.split(".")[1])
                if minor < max(since, SINCE.get(value["kind"], 0)) or not definitions.knows(value):
                    continue
                checked += 1
                with self.subTest(server, kind=value["kind"], name=value["metadata"]["name"]):
                    definitions.check(value)
            self.assertGreater(checked, 0, f'{value["apiVersion"]} {value["kind"]} is unknown')

    def test_servers_take_every_file(self) -> None:
        for path in files():
            with self.subTest(path.name):
                self.check(read(path))

    def test_what_servers_do_not_know_is_found(self) -> None:
        pod = read(MANIFESTS / "cmk-init-pod.yaml")[0]
        pod["spec"]["containers"][0]["volumeMount"] = []
        self.assertRaisesRegex(Refusal, "volumeMount", self.definitions["1.30"].check, pod)
        config = by_name(self.built(KUSTOMIZE / "server-1.30"))[
            "MutatingWebhookConfiguration", "cmk-webhook-config"]
        self.assertRaisesRegex(Refusal, "matchConditions", self.definitions["1.20"].check, config)

    def test_the_templates_have_the_originals_names(self) -> None:
        there = {path.name for path in MANIFESTS.glob("*.yaml")}
        self.assertLessEqual({f"cmk-{name}.yaml" for name in TEMPLATES}, there)

    def test_each_is_told_of(self) -> None:
        documentation = (MANIFESTS.parent.parent / "docs" / "kubernetes.md").read_text()
        for path in files():
            name = path.name
            if name.startswith("cmk-webhook-"):  # cmk-webhook-{certs,config,...}.yaml
                name = name.removeprefix("cmk-webhook-").removesuffix(".yaml")
            self.assertIn(name, documentation)

    def test_images_and_chart_have_the_projects_version(self) -> None:
        version = project_version()
        for value in [each for path in files() for each in read(path)]:
            for each in (pod_spec(value) or {"containers": []})["containers"]:
                self.assertEqual(each["image"], f"cmk:v{version}", value["metadata"]["name"])
        chart = read(CHART / "Chart.yaml")[0]
        self.assertEqual((chart["version"], chart["appVersion"]), (version, version))
        self.assertEqual(read(CHART / "values.yaml")[0]["image"]["tag"], f"v{version}")
        self.assertEqual(read(MANIFESTS / "kustomization.yaml")[0]["images"][0]["newTag"],
                         f"v{version}")

    def test_of_the_host_is_written_what_must_be(self) -> None:
        writers = {"/opt/bin": {"cmk-install-pod", "cmk-uninstall-pod", "cmk-uninstall-all-nodes"}}
        for value in [each for path in files() for each in read(path)]:
            spec = pod_spec(value) or {"containers": []}
            paths = {each["name"]: each["hostPath"]["path"] for each in spec.get("volumes", [])
                     if "hostPath" in each}
            for mount in [each for container in spec["containers"]
                          for each in container.get("volumeMounts", [])]:
                path = paths.get(mount["name"], "")
                may_write = path == "/etc/cmk" or value["metadata"]["name"] in writers.get(path, ())
                self.assertEqual(mount.get("readOnly", False), bool(path) and not may_write or
                                 not path, f'{value["metadata"]["name"]} {path}')

    def test_nothing_is_granted_by_wildcard_and_secrets_of_a_name_alone(self) -> None:
        roles = [each for path in files() for each in read(path)
                 if each["kind"] in ("Role", "ClusterRole")]
        self.assertGreater(len(roles), 4)
        for role in roles:
            for rule in role["rules"]:
                self.assertNotIn("*", rule["verbs"] + rule["apiGroups"] + rule["resources"])
                if "secrets" in rule["resources"] and rule["verbs"] != ["create"]:
                    self.assertEqual(rule["resourceNames"], ["cmk-webhook-certs"])

    def test_nodes_without_the_agent_hold_up_no_rollout(self) -> None:
        update = read(MANIFESTS / "cmk-publisher-daemonset.yaml")[0]["spec"]["updateStrategy"]
        self.assertEqual(update["rollingUpdate"], {"maxUnavailable": "100%"})

    def test_the_policy_is_about_all_of_a_node_that_is_not_ours(self) -> None:
        policy = read(KUSTOMIZE / "policy" / "cmk-publisher-policy.yaml")[0]["spec"]
        compared = [each["expression"] for each in policy["validations"]]
        for field in ("metadata.?annotations", "metadata.?ownerReferences", "metadata.?finalizers",
                      "spec.?unschedulable", "status.?conditions", "status.?addresses",
                      "status.?daemonEndpoints", "status.?nodeInfo", "status.?images",
                      "status.?volumesAttached", "status.?volumesInUse"):
            name = field.split("?")[1]
            expected = re.compile(rf"object\.{re.escape(field)}\.orValue\((.+?)\) == "
                                  rf"oldObject\.{re.escape(field)}\.orValue\(\1\)")
            self.assertTrue(any(expected.search(each) for each in compared), name)

    def test_the_webhooks_certificate_is_renewed_below_an_authority_that_stays(self) -> None:
        made = by_name(read(MANIFESTS / "cmk-webhook-cert-manager.yaml"))
        authority = made["Certificate", "cmk-webhook-ca"]["spec"]
        self.assertTrue(authority["isCA"])
        self.assertEqual(authority["privateKey"]["rotationPolicy"], "Never")
        self.assertEqual(made["Issuer", authority["issuerRef"]["name"]]["spec"], {"selfSigned": {}})
        issuer = made["Certificate", "cmk-webhook-tls"]["spec"]["issuerRef"]["name"]
        self.assertEqual(made["Issuer", issuer]["spec"],
                         {"ca": {"secretName": authority["secretName"]}})

    # ---- the base --------------------------------------------------------------------------------

    def built(self, directory: object) -> list[dict]:
        need(self, shutil.which("kubectl"), "kubectl")
        return kustomized(directory)

    def test_servers_take_what_kustomize_builds(self) -> None:
        self.check(self.built(MANIFESTS))
        self.check(self.built(KUSTOMIZE / "server-1.30"), since=30)
        self.check(self.built(KUSTOMIZE / "prometheus"))

    def test_the_base_is_in_one_namespace_and_confined(self) -> None:
        values = self.built(KUSTOMIZE / "server-1.30")
        self.assertNotIn("default", [each["metadata"].get("namespace") for each in values])
        accounts = {}
        for value in values:
            for subject in value.get("subjects", []):
                self.assertEqual(subject["namespace"], "cmk-system")
            spec = pod_spec(value)
            if spec is None:
                continue
            accounts[value["metadata"]["name"]] = spec["serviceAccountName"]
            self.assertTrue(spec["securityContext"]["runAsNonRoot"])
            for container in spec["containers"]:
                self.assertEqual(container["securityContext"]["capabilities"], {"drop": ["ALL"]})
                self.assertIn("memory", container["resources"]["limits"])
                self.assertIn("cpu", container["resources"]["requests"])
        self.assertEqual(len(set(accounts.values())), 3, accounts)
        named = by_name(values)
        self.assertFalse(named["ServiceAccount", "cmk-webhook"]["automountServiceAccountToken"])
        self.assertEqual(named["Namespace", "cmk-system"]["metadata"]["labels"],
                         {"pod-security.kubernetes.io/enforce": "privileged"})
        publisher = named["DaemonSet", "cmk-publisher"]["spec"]["template"]["spec"]
        self.assertEqual(publisher["priorityClassName"], "system-node-critical")

    # ---- the chart -------------------------------------------------------------------------------

    def render(self, *arguments: object, **changes: object) -> list[dict]:
        need(self, shutil.which("go"), "Go (golang-go)")
        return rendered(*arguments, **changes)

    def test_the_chart_is_the_base(self) -> None:
        for directory, versions in ((KUSTOMIZE / "server-1.30", ()), (MANIFESTS, ((),))):
            base = by_name([plain(each) for each in self.built(directory)
                            if each["kind"] != "CustomResourceDefinition"])  # in the chart's crds/
            chart = by_name([plain(each) for each in self.render(*versions)])
            first = chart.pop(("Job", "cmk-webhook-certs-1"))
            self.assertEqual(pod_spec(first), pod_spec(chart["CronJob", "cmk-webhook-rotation"]))
            self.assertEqual(set(chart), set(base))
            for name, value in base.items():
                with self.subTest(name):
                    self.assertEqual(chart[name], value)
        self.assertEqual((CHART / "crds" / "cmk-crds.yaml").read_text(),
                         (MANIFESTS / "cmk-crds.yaml").read_text())

    def test_servers_take_all_that_the_chart_can_make(self) -> None:
        monitored = {"podMonitor": {"enabled": True}}
        for changes in ({}, {**monitored, "image": {"pullSecret": "registry"}},
                        {**monitored, "webhook": {"certificate": "cert-manager"}},
                        {"webhook": {"certificate": "cert-manager",
                                     "issuer": {"kind": "ClusterIssuer", "name": "company"}}},
                        {"webhook": {"certificate": "own", "failurePolicy": "Fail"}},
                        {**monitored, "webhook": {"enabled": False}, "createNamespace": False,
                         "networkPolicy": {"enabled": False}, "publisher": {"policy": False}}):
            with self.subTest(changes):
                self.check(self.render(**changes), since=30)
        self.check(self.render(()))

    def test_values_arrive(self) -> None:
        made = by_name(self.render(
            namespace="ns", image={"repository": "r.example/cmk", "tag": "t", "pullSecret": "p"},
            publisher={"taint": False, "reportNamespace": "reports"},
            webhook={"replicas": 3, "confDir": "/etc/other", "schedule": "@weekly"},
            networkPolicy={"apiServerPorts": [8443]}))
        publisher = made["DaemonSet", "cmk-publisher"]["spec"]["template"]["spec"]
        self.assertEqual(publisher["containers"][0]["image"], "r.example/cmk:t")
        self.assertEqual(publisher["containers"][0]["command"][4:],
                         ["--no-taint", "--report-namespace", "reports"])
        self.assertEqual(made["Deployment", "cmk-webhook-deployment"]["spec"]["replicas"], 3)
        self.assertIn('path: "/etc/other"', made["ConfigMap", "cmk-webhook-configmap"]["data"][
            "mutations.yaml"])
        self.assertEqual(made["CronJob", "cmk-webhook-rotation"]["spec"]["schedule"], "@weekly")
        for value in made.values():
            spec = pod_spec(value)
            if spec is not None:
                self.assertEqual(spec["imagePullSecrets"], [{"name": "p"}])
            self.assertIn(value["metadata"].get("namespace", "ns"), "ns")
        ports = made["NetworkPolicy", "cmk-publisher"]["spec"]["egress"][0]["ports"]
        self.assertEqual([each["port"] for each in ports], [8443])

    def test_each_keeper_of_the_certificate_is_alone(self) -> None:
        keepers = {("Secret", "cmk-webhook-certs"), ("CronJob", "cmk-webhook-rotation"),
                   ("Issuer", "cmk-webhook"), ("Certificate", "cmk-webhook-tls")}
        for certificate, kinds in (("rotated", {"Secret", "CronJob"}), ("own", {"Secret"}),
                                   ("cert-manager", {"Issuer", "Certificate"})):
            made = by_name(self.render(webhook={"certificate": certificate}))
            self.assertEqual({kind for kind, _ in keepers & set(made)}, kinds)
            config = made["MutatingWebhookConfiguration", "cmk-webhook-config"]
            self.assertEqual(config["metadata"].get("annotations"),
                             {"cert-manager.io/inject-ca-from": "cmk-system/cmk-webhook-tls"}
                             if certificate == "cert-manager" else None)
            self.assertNotIn("caBundle", config["webhooks"][0]["clientConfig"])
            self.assertNotIn("data", made.get(("Secret", "cmk-webhook-certs"), {}))
            volume = pod_spec(made["Deployment", "cmk-webhook-deployment"])["volumes"][1]["secret"]
            self.assertEqual(volume["secretName"], "cmk-webhook-tls"
                             if certificate == "cert-manager" else "cmk-webhook-certs")
            self.assertEqual([each["path"] for each in volume["items"]], ["cert.pem", "key.pem"])
        file = by_name(read(MANIFESTS / "cmk-webhook-cert-manager.yaml"))
        made = by_name(self.render(namespace="default", webhook={"certificate": "cert-manager"}))
        for name, value in file.items():
            self.assertEqual(plain(made[name]), value)


if __name__ == "__main__":
    unittest.main()
