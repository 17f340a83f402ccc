# SPDX-License-Identifier: Apache-2.0
"""A cluster that does what its objects say: the test API server with RBAC by the rules that it was
given, admission (PodSecurity, webhooks), a scheduler, controllers, and kubelets that run the pods'
containers with the programs of the build.

    cluster = WholeCluster(directory, "1.36.2", certificates)
    cluster.join("node1")       # a node with two sockets
"""

import base64
import copy
import http.client
import json
import pathlib
import socket
import ssl
import threading
import time
import uuid
from typing import Any

from api_server import Refusal, Resource, Target, json_patch
from cluster_server import (HOOKS, ClusterHandler, ClusterServer, ClusterStore, ended, running,
                            waiting)
from kube_case import BUILD
from sandbox import Container, Node, data_of

RBAC = "rbac.authorization.k8s.io"
LEVEL = "pod-security.kubernetes.io/enforce"
# What kubectl checks objects against, without any definition: the server checks them.
NO_DEFINITIONS = b"\x0a\x032.0"
PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
PLAIN = [
    Resource("", "v1", "namespaces", "Namespace", False),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", True),
    Resource(RBAC, "v1", "clusterroles", "ClusterRole", False),
    Resource(RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", False),
    Resource(RBAC, "v1", "roles", "Role", True),
    Resource(RBAC, "v1", "rolebindings", "RoleBinding", True),
    Resource(HOOKS, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", False),
    Resource(HOOKS, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding",
             False),
]


class WholeStore(ClusterStore):
    built_in = ClusterStore.built_in + PLAIN
    cluster: "WholeCluster"

    def remove(self, collection: tuple[str, str, str], name: str) -> dict:
        if collection[1] == "pods":
            self.cluster.end_pod(collection[2], name)
        return super().remove(collection, name)


class WholeHandler(ClusterHandler):
    server: "WholeCluster"

    def answer(self, path: str) -> None:
        if path != "/openapi/v2":
            return super().answer(path)
        self.entry["status"] = 200
        self.send_response(200)
        self.send_header("Content-Type", PROTOBUF)
        self.send_header("Content-Length", str(len(NO_DEFINITIONS)))
        self.end_headers()
        self.wfile.write(NO_DEFINITIONS)

    def create(self, target: Target) -> None:
        if target.resource.plural == "pods":
            pod = self.parsed()
            pod["metadata"].setdefault("namespace", target.namespace)
            self.server.admit_new(pod)
            self.body = json.dumps(pod)
        super().create(target)

    def get(self, target: Target) -> None:
        if target.subresource != "log":
            return super().get(target)
        self.existing(target)
        container = self.server.container(target, self.query.get("container", ""))
        while self.query.get("follow") == "true" and container.process.poll() is None:
            self.server.store.lock.wait(0.1)
        lines = container.said().splitlines(True)
        tail = int(self.query.get("tailLines", "0"))
        return self.send_text(200, "".join(lines[-tail:]), "text/plain", {})

    def patch(self, target: Target) -> None:
        """Kubectl's own kind of patch is a merge patch where no list is changed in part."""
        kind = self.headers.get("Content-Type", "")
        if kind == "application/strategic-merge-patch+json":
            self.headers.replace_header("Content-Type", "application/merge-patch+json")
        super().patch(target)


class WholeCluster(ClusterServer):
    handler = WholeHandler
    store_type = WholeStore

    def __init__(self, directory: pathlib.Path, *arguments: Any) -> None:
        self.nodes: dict[str, Node] = {}
        self.pods: dict[tuple[str, str], dict[str, Container]] = {}
        self.running = True
        self.webhook_port = free_port()
        super().__init__(directory, *arguments)
        self.store.cluster = self
        for name in ("default", "kube-system"):
            self.add("/api/v1/namespaces", {"kind": "Namespace", "metadata": {
                "name": name, "labels": {"kubernetes.io/metadata.name": name}}})

    def join(self, name: str) -> None:
        self.nodes[name] = Node(self.directory / "nodes" / name)
        self.add_node(name)

    def stop(self) -> None:
        self.running = False
        for containers in list(self.pods.values()):
            for each in containers.values():
                each.stop()
        super().stop()

    def all_of(self, plural: str, namespace: str = "") -> list[dict]:
        with self.store.lock:
            return [copy.deepcopy(value) for (_, kind, where), objects in self.store.objects.items()
                    if kind == plural and where == namespace for value in objects.values()]

    # ---- who may ------------------------------------------------------------------------------

    def authorize(self, user: str, verb: str, target: Target) -> None:
        if user.startswith("system:serviceaccount:"):
            self.roles[user] = self.rights_of(*user.split(":")[2:])
        super().authorize(user, verb, target)

    def rights_of(self, namespace: str, name: str) -> set[str]:
        """What the rules of its cluster roles allow, as "verb resource"."""
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        roles = {each["roleRef"]["name"] for each in self.all_of("clusterrolebindings")
                 if subject in each.get("subjects", [])}
        rules = [rule for each in self.all_of("clusterroles")
                 if each["metadata"]["name"] in roles for rule in each.get("rules", [])]
        resources = {each.plural for each in self.store.resources()}
        resources |= {"nodes/status", "pods/log"}
        verbs = {"get", "list", "watch", "create", "update", "patch", "delete"}
        return {f"{verb} {resource}" for rule in rules
                for resource in (resources if "*" in rule.get("resources", [])
                                 else rule.get("resources", []))
                for verb in (verbs if "*" in rule["verbs"] else rule["verbs"])}

    # ---- admission ----------------------------------------------------------------------------

    def admit_new(self, pod: dict) -> None:
        """Changes the pod as webhooks say, and refuses what may not be."""
        namespace, name = pod["metadata"]["namespace"], pod["metadata"].get("name", "")
        labels = (self.object(f"/api/v1/namespaces/{namespace}") or {"metadata": {}})["metadata"]
        for configuration in self.all_of("mutatingwebhookconfigurations"):
            for each in configuration["webhooks"]:
                self.call_webhook(each, pod)
        account = pod["spec"].get("serviceAccountName", "default")
        if account != "default" and self.object(
                f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}") is None:
            raise Refusal(403, f'pods "{name}" is forbidden: error looking up service account '
                               f'{namespace}/{account}: serviceaccount "{account}" not found')
        level = labels.get("labels", {}).get(LEVEL, "privileged")
        volumes = [f'"{each["name"]}"' for each in pod["spec"].get("volumes", [])
                   if "hostPath" in each]
        if level != "privileged" and volumes:  # as kube-apiserver words it
            raise Refusal(403, f'pods "{name}" is forbidden: violates PodSecurity "{level}:latest": '
                               f'hostPath volumes (volume{"s" * (len(volumes) > 1)} '
                               f'{", ".join(volumes)})')

    def call_webhook(self, webhook: dict, pod: dict) -> None:
        """As an API server does: at the Service's name, which the caBundle has to vouch for."""
        excluded = {"matchLabels": {}, "matchExpressions": []}
        for each in webhook.get("objectSelector", excluded).get("matchExpressions", []):
            if pod["metadata"].get("labels", {}).get(each["key"]) in each["values"]:
                return
        client = webhook["clientConfig"]
        service = client["service"]
        host = f'{service["name"]}.{service["namespace"]}.svc'
        request = {"uid": str(uuid.uuid4()), "kind": {"group": "", "version": "v1", "kind": "Pod"},
                   "resource": {"group": "", "version": "v1", "resource": "pods"},
                   "namespace": pod["metadata"]["namespace"], "operation": "CREATE", "object": pod}
        review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
                  "request": request}
        try:
            answer = self.post(host, base64.b64decode(client["caBundle"]).decode(),
                               service.get("path", "/"), review)
        except (OSError, ValueError, http.client.HTTPException):
            if webhook.get("failurePolicy") == "Ignore":
                return
            raise
        if not answer["response"]["allowed"]:
            raise Refusal(403, f'admission webhook "{webhook["name"]}" denied the request: '
                               f'{answer["response"].get("status", {}).get("message", "")}')
        if "patch" in answer["response"]:
            operations = json.loads(base64.b64decode(answer["response"]["patch"]))
            pod.update(json_patch(pod, operations))

    def post(self, host: str, authority: str, path: str, body: dict) -> dict:
        context = ssl.create_default_context(cadata=authority)
        connection = http.client.HTTPSConnection(host, timeout=10, context=context)
        plain = socket.create_connection(("127.0.0.1", self.webhook_port), 10)
        connection.sock = context.wrap_socket(plain, server_hostname=host)
        try:
            connection.request("POST", path, json.dumps(body),
                               {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    # ---- scheduler and controllers --------------------------------------------------------------

    def made(self, target: Target, name: str) -> None:
        value = self.store.objects[target.collection][name]
        plural = target.resource.plural
        if plural == "pods":
            self.admit(value)
        if plural in ("pods", "daemonsets", "deployments"):
            threading.Thread(target={"pods": self.run_pod, "daemonsets": self.run_everywhere,
                                     "deployments": self.run_replica}[plural],
                             args=(target.namespace, copy.deepcopy(value)), daemon=True).start()

    def node_for(self, pod: dict) -> str:
        """The first node that the pod fits on; "" for none."""
        spec = pod["spec"]
        if spec.get("nodeName"):
            return spec["nodeName"] if spec["nodeName"] in self.nodes else ""
        asked: dict[str, int] = {}
        for container in spec["containers"]:
            for key, value in container.get("resources", {}).get("requests", {}).items():
                if "/" in key:
                    asked[key] = asked.get(key, 0) + int(value)
        for name in self.nodes:
            node = self.node(name)
            if fits(spec, node) and all(int(node["status"]["capacity"].get(key, 0)) >= count
                                        for key, count in asked.items()):
                return name
        return ""

    def run_everywhere(self, namespace: str, daemon_set: dict) -> None:
        template = daemon_set["spec"]["template"]
        for name in self.nodes:
            spec = {**copy.deepcopy(template["spec"])}
            if spec.get("nodeName", name) == name and fits(spec, self.node(name)):
                self.make_pod(namespace, daemon_set, "DaemonSet", {**spec, "nodeName": name})

    def run_replica(self, namespace: str, deployment: dict) -> None:
        """One pod: they all have the same address here."""
        self.make_pod(namespace, deployment, "Deployment",
                      copy.deepcopy(deployment["spec"]["template"]["spec"]))
        count = deployment["spec"].get("replicas", 1)
        while self.running and not is_open(self.webhook_port):
            time.sleep(0.05)
        path = f'/apis/apps/v1/namespaces/{namespace}/deployments/{deployment["metadata"]["name"]}'
        if self.object(path) is not None:
            self.change_object(path, lambda value: value.update(status={
                "observedGeneration": 1, "replicas": count, "updatedReplicas": count,
                "readyReplicas": count, "availableReplicas": count}))

    def make_pod(self, namespace: str, owner: dict, kind: str, spec: dict) -> None:
        metadata = owner["metadata"]
        pod = {"kind": "Pod", "apiVersion": "v1", "spec": spec, "metadata": {
            "name": f'{metadata["name"]}-{uuid.uuid4().hex[:5]}', "namespace": namespace,
            "labels": dict(owner["spec"]["template"]["metadata"]["labels"]),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind, "name": metadata["name"],
                                 "uid": metadata["uid"], "controller": True}]}}
        try:
            self.admit_new(pod)
        except Refusal:
            return
        self.add(f"/api/v1/namespaces/{namespace}/pods", pod)

    # ---- kubelet ------------------------------------------------------------------------------

    def container(self, target: Target, name: str) -> Container:
        containers = self.pods.get((target.namespace, target.name), {})
        while not containers.get(name or next(iter(containers), "")):
            self.store.lock.wait(0.1)
            containers = self.pods.get((target.namespace, target.name), {})
        return containers[name or list(containers)[-1]]

    def run_pod(self, namespace: str, pod: dict) -> None:
        pod["metadata"]["namespace"] = namespace
        while self.running and not (node := self.node_for(pod)):
            time.sleep(0.1)
        if not self.running:
            return
        pod["spec"]["nodeName"] = node
        credential = self.credential(namespace, pod["spec"].get("serviceAccountName", "default"))
        containers = self.pods.setdefault((namespace, pod["metadata"]["name"]), {})
        for spec in pod["spec"].get("initContainers", []):
            if self.start(containers, pod, spec, credential).wait() != 0:
                return self.tell(pod, containers)
        for spec in pod["spec"]["containers"]:
            self.start(containers, pod, spec, credential)
        self.tell(pod, containers)
        for each in containers.values():
            each.process.wait()
        if pod["spec"].get("restartPolicy") == "Never":
            self.tell(pod, containers)

    def start(self, containers: dict[str, Container], pod: dict, spec: dict,
              credential: dict[str, str]) -> Any:
        work = self.directory / "pods" / f'{pod["metadata"]["name"]}-{uuid.uuid4().hex[:4]}'
        one = Container(BUILD, self.nodes[pod["spec"]["nodeName"]], pod, spec, work / spec["name"],
                        lambda kind, name: self.files_of(pod["metadata"]["namespace"], kind, name))
        one.start(credential, f"127.0.0.1:{self.port}")
        containers[spec["name"]] = one
        return one.process

    def files_of(self, namespace: str, kind: str, name: str) -> dict[str, bytes]:
        path = f"/api/v1/namespaces/{namespace}/{kind}/{name}"
        while self.running and self.object(path) is None:
            time.sleep(0.1)
        files = data_of(self.object(path))
        if "server.yaml" in files:  # this machine's ports are others', too
            files["server.yaml"] = files["server.yaml"].replace(
                b"port: 8443", f"port: {self.webhook_port}".encode())
        return files

    def credential(self, namespace: str, account: str) -> dict[str, str]:
        token = uuid.uuid4().hex
        self.tokens[token] = f"system:serviceaccount:{namespace}:{account}"
        return {"token": token, "namespace": namespace,
                "ca.crt": self.certificates.ca.read_text()}

    def tell(self, pod: dict, containers: dict[str, Container]) -> None:
        """What the pod's status says now."""
        def state_of(spec: dict) -> dict:
            name = spec["name"]
            if name not in containers:
                return waiting(name, "PodInitializing")
            code = containers[name].process.poll()
            return running(name) if code is None else ended(name, code)

        first, rest = ([state_of(each) for each in pod["spec"].get(key, [])]
                       for key in ("initContainers", "containers"))
        codes = [each["state"].get("terminated", {}).get("exitCode") for each in [*first, *rest]]
        never = pod["spec"].get("restartPolicy") == "Never"
        phase = "Running"
        if never and any(codes):
            phase = "Failed"
        elif never and all(code == 0 for code in codes):
            phase = "Succeeded"
        ready = "True" if phase == "Running" else "False"
        path = f'/api/v1/namespaces/{pod["metadata"]["namespace"]}/pods/{pod["metadata"]["name"]}'

        def change(value: dict) -> None:
            value["spec"]["nodeName"] = pod["spec"]["nodeName"]
            value["status"] = {"phase": phase, "initContainerStatuses": first,
                               "containerStatuses": rest,
                               "conditions": [{"type": "Ready", "status": ready}]}

        if self.object(path) is not None:
            self.change_object(path, change)

    def end_pod(self, namespace: str, name: str) -> None:
        for each in self.pods.pop((namespace, name), {}).values():
            each.stop()


def fits(spec: dict, node: dict) -> bool:
    """Do labels and taints let the pod run there?"""
    labels = node["metadata"].get("labels", {})
    if any(labels.get(key) != value for key, value in spec.get("nodeSelector", {}).items()):
        return False
    keys = [each.get("key") for each in spec.get("tolerations", [])]
    return all(None in keys or taint["key"] in keys for taint in node["spec"].get("taints", []))


def is_open(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
