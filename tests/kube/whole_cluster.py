# SPDX-License-Identifier: Apache-2.0
"""A cluster that does what its objects say: the test API server with RBAC by the rules that it was
given, admission, a scheduler, controllers, and kubelets that run the pods with the programs of the
build.

    cluster = WholeCluster(directory, "1.36.2", certificates)
    cluster.join("node1")       # a node with two sockets
"""

import copy
import json
import pathlib
import socket
import threading
import uuid
from typing import Any

import admission
from api_server import Target
from cluster_server import ClusterHandler, ClusterServer, ClusterStore
from kubelet import Kubelet
from rbac import Rbac
from refusals import Refusal
from sandbox import Container

# What kubectl checks objects against, without any definition: the server checks them.
NO_DEFINITIONS = b"\x0a\x032.0"
PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


class WholeStore(ClusterStore):
    kubelet: Kubelet

    def remove(self, collection: tuple[str, str, str], name: str) -> dict:
        if collection[1] == "pods":
            self.kubelet.end(collection[2], name)
        return super().remove(collection, name)


class WholeHandler(ClusterHandler):
    server: "WholeCluster"

    def answer(self, path: str) -> None:
        if path != "/openapi/v2":
            return super().answer(path)
        return self.send_text(200, NO_DEFINITIONS.decode(), PROTOBUF, {})

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
        container = self.container(target)
        while self.query.get("follow") == "true" and container.exit_status() is None:
            self.server.store.lock.wait(0.1)
        lines = container.said().splitlines(True)
        tail = int(self.query.get("tailLines", "0"))
        return self.send_text(200, "".join(lines[-tail:]), "text/plain", {})

    def container(self, target: Target) -> Container:
        """The one that is asked for, or the only one, once it runs."""
        while True:
            found = self.server.kubelet.containers_of(target.namespace, target.name)
            name = self.query.get("container", "") or next(iter(found), "")
            if name in found:
                return found[name]
            self.server.store.lock.wait(0.1)

    def patch(self, target: Target) -> None:
        """kubectl's own kind of patch is a merge patch where no list is changed in part."""
        if self.headers.get("Content-Type") == "application/strategic-merge-patch+json":
            self.headers.replace_header("Content-Type", "application/merge-patch+json")
        super().patch(target)


class WholeCluster(ClusterServer):
    handler = WholeHandler
    store_type = WholeStore

    def __init__(self, directory: pathlib.Path, *arguments: Any) -> None:
        self.kubelet = Kubelet(self, directory)
        self.webhook_port = free_port()
        super().__init__(directory, *arguments)
        self.store.kubelet = self.kubelet
        for name in ("default", "kube-system"):
            self.add("/api/v1/namespaces", {"kind": "Namespace", "metadata": {
                "name": name, "labels": {"kubernetes.io/metadata.name": name}}})

    def join(self, name: str) -> None:
        self.kubelet.add_node(name)
        self.add_node(name)

    def stop(self) -> None:
        self.kubelet.stop()
        super().stop()

    def all_of(self, plural: str) -> list[dict]:
        """In every namespace."""
        with self.store.lock:
            return [copy.deepcopy(value) for (_, kind, _), objects in self.store.objects.items()
                    if kind == plural for value in objects.values()]

    # ---- who may ------------------------------------------------------------------------------

    def authorize(self, user: str, verb: str, target: Target) -> None:
        if user.startswith("system:serviceaccount:"):
            namespace, name = user.split(":")[2:]
            objects = [value for kind in ("roles", "clusterroles", "rolebindings",
                                          "clusterrolebindings") for value in self.all_of(kind)]
            self.roles[user] = Rbac(objects, name, namespace)
        super().authorize(user, verb, target)

    def admit_new(self, pod: dict) -> None:
        """Changes the pod as webhooks say, and refuses what may not be."""
        namespace = f'/api/v1/namespaces/{pod["metadata"]["namespace"]}'
        for configuration in self.all_of("mutatingwebhookconfigurations"):
            for webhook in configuration["webhooks"]:
                admission.mutate(webhook, pod, self.webhook_port)
        account = pod["spec"].get("serviceAccountName", "default")
        there = account == "default" or self.object(f"{namespace}/serviceaccounts/{account}")
        admission.check_account(pod, bool(there))
        labels = (self.object(namespace) or {"metadata": {}})["metadata"].get("labels", {})
        admission.check_level(pod, labels)

    # ---- scheduler and controllers --------------------------------------------------------------

    def made(self, target: Target, name: str) -> None:
        value = self.store.objects[target.collection][name]
        if target.resource.plural == "pods":
            self.admit(value)
        work = {"pods": self.run_pod, "daemonsets": self.run_everywhere,
                "deployments": self.run_replica}.get(target.resource.plural)
        if work is not None:
            threading.Thread(target=work, args=(target.namespace, copy.deepcopy(value)),
                             daemon=True).start()

    def run_pod(self, namespace: str, pod: dict) -> None:
        pod["metadata"]["namespace"] = namespace
        while not (node := self.node_for(pod["spec"])):
            if self.kubelet.is_over.wait(0.1):
                return
        pod["spec"]["nodeName"] = node
        self.kubelet.run(pod)

    def node_for(self, spec: dict) -> str:
        """The first node that the pod fits on; "" for none."""
        if spec.get("nodeName"):
            return spec["nodeName"] if spec["nodeName"] in self.kubelet.nodes else ""
        return next((name for name in self.kubelet.nodes if fits(spec, self.node(name))), "")

    def run_everywhere(self, namespace: str, daemon_set: dict) -> None:
        for name in self.kubelet.nodes:
            spec = copy.deepcopy(daemon_set["spec"]["template"]["spec"])
            if spec.get("nodeName", name) == name and fits(spec, self.node(name)):
                self.make_pod(namespace, daemon_set, {**spec, "nodeName": name})

    def run_replica(self, namespace: str, deployment: dict) -> None:
        """One pod: they all have the same address here."""
        self.make_pod(namespace, deployment, copy.deepcopy(deployment["spec"]["template"]["spec"]))
        while not is_open(self.webhook_port):
            if self.kubelet.is_over.wait(0.05):
                return
        count = deployment["spec"].get("replicas", 1)
        path = f'/apis/apps/v1/namespaces/{namespace}/deployments/{deployment["metadata"]["name"]}'
        with self.store.lock:
            if self.object(path) is not None:
                self.change_object(path, lambda value: value.update(status={
                    "observedGeneration": 1, "replicas": count, "updatedReplicas": count,
                    "readyReplicas": count, "availableReplicas": count}))

    def make_pod(self, namespace: str, owner: dict, spec: dict) -> None:
        metadata = owner["metadata"]
        pod = {"kind": "Pod", "apiVersion": "v1", "spec": spec, "metadata": {
            "name": f'{metadata["name"]}-{uuid.uuid4().hex[:5]}', "namespace": namespace,
            "labels": dict(owner["spec"]["template"]["metadata"]["labels"]),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": owner["kind"],
                                 "name": metadata["name"], "uid": metadata["uid"],
                                 "controller": True}]}}
        try:
            self.admit_new(pod)
        except Refusal:
            return  # as of a controller: its object stays without pods
        self.add(f"/api/v1/namespaces/{namespace}/pods", pod)


def fits(spec: dict, node: dict) -> bool:
    """Do labels, taints and resources let the pod run there?"""
    labels = node["metadata"].get("labels", {})
    if any(labels.get(key) != value for key, value in spec.get("nodeSelector", {}).items()):
        return False
    tolerated = [each.get("key") for each in spec.get("tolerations", [])]
    if None not in tolerated and any(taint["key"] not in tolerated
                                     for taint in node["spec"].get("taints", [])):
        return False
    requests = [each.get("resources", {}).get("requests", {}) for each in spec["containers"]]
    return all(int(node["status"]["capacity"].get(key, 0)) >= int(value)
               for each in requests for key, value in each.items() if "/" in key)


def is_open(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
