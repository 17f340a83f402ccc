# SPDX-License-Identifier: Apache-2.0
"""The test API server with what a cluster has beyond it: pods that a kubelet would run, DaemonSets
whose pods a controller makes, and the objects of a webhook.

    server = ClusterServer(directory)
    server.fates["cmk-init-install-discover-pod-node2"] = "failed"
    server.keep_pods = True     # deleted pods stay, as those that do not end

A pod's fate goes by the name of the object that a client made: the Pod's, or the DaemonSet's.
"""

import copy
import json
import queue
import threading
import time
import uuid
from typing import Any, Callable

from api_server import BUILT_IN, CORE, ApiServer, Handler, Resource, Store, Target
from rbac import Rbac
from refusals import Refusal

HOOKS = "admissionregistration.k8s.io"
ACCESS = "authorization.k8s.io"
APPS = "io.k8s.api.apps.v1."
ROLES = "rbac.authorization.k8s.io"

CLUSTER = [
    Resource("", "v1", "pods", "Pod", True, CORE + "Pod"),
    Resource("", "v1", "secrets", "Secret", True, CORE + "Secret"),
    Resource("", "v1", "configmaps", "ConfigMap", True, CORE + "ConfigMap"),
    Resource("", "v1", "services", "Service", True, CORE + "Service"),
    Resource("apps", "v1", "daemonsets", "DaemonSet", True, APPS + "DaemonSet"),
    Resource("apps", "v1", "deployments", "Deployment", True, APPS + "Deployment"),
    Resource("extensions", "v1beta1", "daemonsets", "DaemonSet", True),
    Resource(HOOKS, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False,
             "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration"),
    Resource(HOOKS, "v1beta1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
             False),
    Resource(HOOKS, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", False,
             "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy"),
    Resource(HOOKS, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding",
             False, "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding"),
    Resource("", "v1", "namespaces", "Namespace", False, CORE + "Namespace"),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", True, CORE + "ServiceAccount"),
    Resource("batch", "v1", "cronjobs", "CronJob", True, "io.k8s.api.batch.v1.CronJob"),
    Resource("batch", "v1", "jobs", "Job", True, "io.k8s.api.batch.v1.Job"),
    Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True,
             "io.k8s.api.policy.v1.PodDisruptionBudget"),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True,
             "io.k8s.api.networking.v1.NetworkPolicy"),
    *(Resource(ROLES, "v1", kind.lower() + "s", kind, not kind.startswith("Cluster"),
               "io.k8s.api.rbac.v1." + kind)
      for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")),
    Resource(ACCESS, "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False,
             "io.k8s.api.authorization.v1.SelfSubjectAccessReview"),
]
# First and last minor version that serves a group's version.
SERVED = {("apps", "v1"): (9, 99), ("extensions", "v1beta1"): (0, 15), (HOOKS, "v1"): (16, 99),
          (HOOKS, "v1beta1"): (9, 21), (ACCESS, "v1"): (6, 99), (ROLES, "v1"): (8, 99),
          ("batch", "v1"): (21, 99), ("policy", "v1"): (21, 99),
          ("networking.k8s.io", "v1"): (7, 99)}


def waiting(name: str, reason: str) -> dict:
    return {"name": name, "image": "i", "imageID": "", "ready": False, "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": f"{reason} of {name}"}}}


def ended(name: str, code: int) -> dict:
    return {"name": name, "image": "i", "imageID": "", "ready": False, "restartCount": 0,
            "state": {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}}


def running(name: str) -> dict:
    return {"name": name, "image": "i", "imageID": "", "ready": True, "restartCount": 0,
            "state": {"running": {}}}


def status_for(fate: str, pod: dict) -> dict:
    """What kubelet says of a pod of that fate."""
    spec = pod["spec"]
    names = [each["name"] for each in spec["containers"]]
    first = [each["name"] for each in spec.get("initContainers", [])]
    if fate == "failed":  # in the first container that runs
        states = [ended(name, 1 if not first and name == names[0] else 0) for name in names]
        inits = [ended(name, 1 if name == first[0] else 0) for name in first]
        return {"phase": "Failed", "initContainerStatuses": inits, "containerStatuses": states}
    if fate == "evicted":
        return {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}
    if fate == "no-image":
        return {"phase": "Pending", "containerStatuses": [waiting(n, "ErrImageNeverPull")
                                                          for n in names]}
    if fate == "crashing":
        return {"phase": "Running", "containerStatuses": [
            waiting(n, "CrashLoopBackOff") if n == names[0] else running(n) for n in names]}
    if spec.get("restartPolicy") == "Never":
        return {"phase": "Succeeded", "containerStatuses": [ended(n, 0) for n in names]}
    return {"phase": "Running", "containerStatuses": [running(n) for n in names]}


class ClusterStore(Store):
    built_in = BUILT_IN + CLUSTER

    def serves(self, resource: Resource) -> bool:
        if resource.plural == "thirdpartyresources":
            return self.minor < 7
        bounds = SERVED.get((resource.group, resource.version))
        if bounds is None:
            return super().serves(resource)
        return bounds[0] <= self.minor <= bounds[1]


class ClusterHandler(Handler):
    server: "ClusterServer"

    def get(self, target: Target) -> None:
        if target.subresource != "log":
            return super().get(target)
        self.existing(target)
        container = self.query.get("container", "")
        lines = self.server.logs.get(target.name, f"ERROR:root:{container} of {target.name}\n")
        tail = int(self.query.get("tailLines", "0"))
        return self.send_text(200, "".join(lines.splitlines(True)[-tail:]), "text/plain", {})

    def create(self, target: Target) -> None:
        if target.resource.plural == "selfsubjectaccessreviews":
            return self.review(target)
        try:
            super().create(target)
        except Refusal:
            raise
        except OSError:  # the client has gone, but the object is there
            self.made(target)
            raise
        return self.made(target)

    def made(self, target: Target) -> None:
        self.server.made(target, json.loads(self.body)["metadata"]["name"])

    def review(self, target: Target) -> None:
        value = self.parsed()
        self.server.check(target, value)
        asked = value["spec"]["resourceAttributes"]
        role = self.server.roles.get(self.user, set())
        if isinstance(role, Rbac):
            allowed = role.would_allow(asked["verb"], asked.get("group", ""), asked["resource"],
                                       asked.get("namespace", ""), asked.get("name", ""))
        else:
            allowed = role is None or f'{asked["verb"]} {asked["resource"]}' in role
        value["metadata"] = {}
        value["status"] = {"allowed": allowed}
        self.send_object(201, value)

    def delete(self, target: Target) -> None:
        if target.resource.plural != "pods" or not self.server.keep_pods:
            return super().delete(target)
        value = copy.deepcopy(self.existing(target))
        value["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self.server.store.put(target, target.name, value, "MODIFIED")
        return self.send_object(200, value)


class ClusterServer(ApiServer):
    handler = ClusterHandler
    store_type = ClusterStore

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.fates: dict[str, str] = {}
        self.logs: dict[str, str] = {}
        self.keep_pods = False
        self.changes = 0  # writes so far; with the one of this number kill() is called
        self.kill_at = 0
        self.kill: Callable[[], None] = lambda: None
        self.work: queue.SimpleQueue = queue.SimpleQueue()
        super().__init__(*arguments, **options)
        threading.Thread(target=self.run_pods, daemon=True).start()

    def meddle(self, method: str, path: str, body: str) -> None:
        if method != "GET" and "selfsubject" not in path:
            self.changes += 1
            if self.changes == self.kill_at:
                self.kill()
        super().meddle(method, path, body)

    def authorize(self, user: str, verb: str, target: Target) -> None:
        if target.resource.plural != "selfsubjectaccessreviews":  # everybody may ask
            super().authorize(user, verb, target)

    def objects(self, path: str) -> dict[str, dict]:
        """Of a collection, by name."""
        with self.store.lock:
            return copy.deepcopy(self.store.objects.get(self.find(path).collection, {}))

    def add(self, collection: str, value: dict) -> None:
        """As somebody else does; a pod is run, too."""
        with self.store.lock:
            target = self.find(collection)
            value["metadata"]["uid"] = str(uuid.uuid4())
            self.store.put(target, value["metadata"]["name"], value, "ADDED")
            self.made(target, value["metadata"]["name"])

    def delete(self, path: str) -> None:
        target = self.find(path)
        self.remove(target.collection, target.name)

    # ---- kubelets and controllers --------------------------------------------------------------

    def made(self, target: Target, name: str) -> None:
        """An object is there; what becomes of it comes later."""
        value = self.store.objects[target.collection][name]
        if target.resource.plural == "pods":
            self.admit(value)
            self.work.put((target, name, self.fates.get(name, "well")))
        elif target.resource.plural == "daemonsets":
            self.work.put((target, name, self.fates.get(name, "well")))

    @staticmethod
    def admit(pod: dict) -> None:
        """What admission adds."""
        pod.setdefault("status", {"phase": "Pending"})
        spec = pod["spec"]
        spec.setdefault("dnsPolicy", "ClusterFirst")
        spec.setdefault("volumes", []).insert(0, {"name": "token", "secret": {"secretName": "t"}})
        for each in spec["containers"]:
            each.setdefault("volumeMounts", []).insert(0, {"name": "token", "mountPath": "/var/run"})

    def run_pods(self) -> None:
        while True:
            target, name, fate = self.work.get()
            with self.store.lock:
                value = self.store.objects.get(target.collection, {}).get(name)
                if value is None or fate == "never":
                    continue
                if target.resource.plural == "daemonsets":
                    self.make_daemon_pod(value, fate, target.namespace)
                else:
                    self.finish(target, name, value, fate)
            time.sleep(0.0005)

    def finish(self, target: Target, name: str, pod: dict, fate: str) -> None:
        pod = copy.deepcopy(pod)
        pod["status"] = status_for(fate, pod)
        self.store.put(target, name, pod, "MODIFIED")

    def make_daemon_pod(self, daemon_set: dict, fate: str, namespace: str) -> None:
        template, metadata = daemon_set["spec"]["template"], daemon_set["metadata"]
        target = self.find(f"/api/v1/namespaces/{namespace}/pods")
        name = f'{metadata["name"]}-{uuid.uuid4().hex[:5]}'
        pod = {"kind": "Pod", "apiVersion": "v1", "spec": copy.deepcopy(template["spec"]),
               "metadata": {"name": name, "uid": str(uuid.uuid4()),
                            "labels": dict(template["metadata"]["labels"]),
                            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet",
                                                 "name": metadata["name"], "uid": metadata["uid"],
                                                 "controller": True}]}}
        self.admit(pod)
        self.store.put(target, name, pod, "ADDED")
        self.finish(target, name, pod, fate)
