# SPDX-License-Identifier: Apache-2.0
"""The kubelet of every node of a test cluster: runs the containers of pods that have a node, and
tells the pods' status."""

import pathlib
import subprocess
import threading
import time
import uuid
from typing import TYPE_CHECKING

from cluster_server import ended, running, waiting
from kube_case import BUILD
from sandbox import Container, Node, data_of

if TYPE_CHECKING:
    from whole_cluster import WholeCluster

Containers = dict[str, Container]


class Kubelet:
    def __init__(self, cluster: "WholeCluster", directory: pathlib.Path) -> None:
        self.cluster, self.directory = cluster, directory
        self.nodes: dict[str, Node] = {}
        self.pods: dict[tuple[str, str], Containers] = {}
        self.is_over = threading.Event()

    def add_node(self, name: str) -> None:
        self.nodes[name] = Node(self.directory / "nodes" / name)

    def stop(self) -> None:
        self.is_over.set()
        for namespace, name in list(self.pods):
            self.end(namespace, name)

    def end(self, namespace: str, name: str) -> None:
        for each in self.pods.pop((namespace, name), {}).values():
            each.stop()

    def containers_of(self, namespace: str, name: str) -> Containers:
        return self.pods.get((namespace, name), {})

    def run(self, pod: dict) -> None:
        """To its end."""
        metadata, spec = pod["metadata"], pod["spec"]
        account = spec.get("serviceAccountName", "default")
        credential = self.credential(metadata["namespace"], account)
        containers = self.pods.setdefault((metadata["namespace"], metadata["name"]), {})
        while not self.can_mount(spec):
            if self.is_over.wait(0.1):
                return
        for one in spec.get("initContainers", []):
            if self.start(containers, pod, one, credential).wait() != 0:
                return self.tell(pod, containers)
        processes = [self.start(containers, pod, one, credential) for one in spec["containers"]]
        self.tell(pod, containers)
        for process in processes:
            process.wait()
        if spec.get("restartPolicy") == "Never":
            self.tell(pod, containers)

    def can_mount(self, spec: dict) -> bool:
        node = self.nodes[spec["nodeName"]]
        return all((node.root / each["hostPath"]["path"].lstrip("/")).is_dir()
                   for each in spec.get("volumes", [])
                   if each.get("hostPath", {}).get("type") == "Directory")

    def start(self, containers: Containers, pod: dict, spec: dict,
              credential: dict[str, str]) -> subprocess.Popen:
        metadata = pod["metadata"]
        work = self.directory / "pods" / f'{metadata["name"]}-{uuid.uuid4().hex[:4]}'
        one = Container(BUILD, self.nodes[pod["spec"]["nodeName"]], pod, spec, work / spec["name"],
                        lambda kind, name: self.files_of(metadata["namespace"], kind, name))
        process = one.start(credential, f"127.0.0.1:{self.cluster.port}")
        containers[spec["name"]] = one
        return process

    def files_of(self, namespace: str, kind: str, name: str) -> dict[str, bytes]:
        path = f"/api/v1/namespaces/{namespace}/{kind}/{name}"
        while (value := self.cluster.object(path)) is None and not self.is_over.wait(0.1):
            pass
        files = data_of(value or {})
        if "server.yaml" in files:  # this machine's ports are others', too
            files["server.yaml"] = files["server.yaml"].replace(
                b"port: 8443", f"port: {self.cluster.webhook_port}".encode())
        return files

    def credential(self, namespace: str, account: str) -> dict[str, str]:
        token = uuid.uuid4().hex
        self.cluster.tokens[token] = f"system:serviceaccount:{namespace}:{account}"
        return {"token": token, "namespace": namespace,
                "ca.crt": self.cluster.certificates.ca.read_text()}

    def tell(self, pod: dict, containers: Containers) -> None:
        """What the pod's status says now."""
        def change(value: dict) -> None:
            value["spec"]["nodeName"] = pod["spec"]["nodeName"]
            value["status"] = status_of(pod["spec"], containers)

        metadata = pod["metadata"]
        path = f'/api/v1/namespaces/{metadata["namespace"]}/pods/{metadata["name"]}'
        with self.cluster.store.lock:
            if self.cluster.object(path) is not None:
                self.cluster.change_object(path, change)


def status_of(spec: dict, containers: Containers) -> dict:
    def state_of(name: str) -> dict:
        if name not in containers:
            return waiting(name, "PodInitializing")
        code = containers[name].exit_status()
        return running(name) if code is None else ended(name, code)

    first, rest = ([state_of(each["name"]) for each in spec.get(key, [])]
                   for key in ("initContainers", "containers"))
    codes = [each["state"].get("terminated", {}).get("exitCode") for each in [*first, *rest]]
    phase = "Running"
    if spec.get("restartPolicy") == "Never" and any(codes):
        phase = "Failed"
    elif spec.get("restartPolicy") == "Never" and all(code == 0 for code in codes):
        phase = "Succeeded"
    ready = "True" if phase == "Running" else "False"
    return {"phase": phase, "initContainerStatuses": first, "containerStatuses": rest,
            "conditions": [{"type": "Ready", "status": ready}]}
