# SPDX-License-Identifier: Apache-2.0
"""The manifests as people get them: files, what kubectl builds of the kustomize directories, and what
Helm would make of the chart; and the definitions that they are held against.
"""

import atexit
import functools
import json
import os
import pathlib
import re
import subprocess
import tempfile
from typing import Any, Iterator

import yaml

from api_server import Schema

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
MANIFESTS = SOURCE / "k8s" / "manifests"
KUSTOMIZE = SOURCE / "k8s" / "kustomize"
CHART = SOURCE / "k8s" / "chart"
POLICY = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
SERVERS = ("1.20", "1.30", "1.36")
# The first server that has a kind, where that is not the oldest of them.
SINCE = {"CronJob": 21, "PodDisruptionBudget": 21, "ValidatingAdmissionPolicy": 30,
         "ValidatingAdmissionPolicyBinding": 30}


def text(*enum: str) -> dict:
    return {"type": "string", **({"enum": list(enum)} if enum else {})}


def members(*required: str, **properties: dict) -> dict:
    return {"type": "object", "properties": properties, "required": list(required)}


def listed(items: dict) -> dict:
    return {"type": "array", "items": items}


# Of other projects, as their documentation has it: what our objects use of it.
ISSUER_REF = members("name", name=text(), kind=text(), group=text())
SECRET_KEY = members("name", "key", name=text(), key=text())
FOREIGN = {
    ("monitoring.coreos.com/v1", "PodMonitor"): members(
        "selector", "podMetricsEndpoints",
        selector={"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"},
        podMetricsEndpoints=listed(members(
            "port", port=text(), interval=text(), scheme=text(), path=text(),
            tlsConfig=members(serverName=text(), ca=members(secret=SECRET_KEY))))),
    ("cert-manager.io/v1", "Issuer"): members(
        selfSigned=members(), ca=members("secretName", secretName=text())),
    ("cert-manager.io/v1", "Certificate"): members(
        "secretName", "issuerRef", secretName=text(), commonName=text(),
        isCA={"type": "boolean"}, dnsNames=listed(text()), duration=text(),
        renewBefore=text(), usages=listed(text()), issuerRef=ISSUER_REF,
        privateKey=members(algorithm=text(), size={"type": "integer"}, rotationPolicy=text())),
}


class Definitions:
    """What one server knows."""

    def __init__(self, server: str) -> None:
        self.schema = Schema(f"openapi/{server}.json")
        self.names = {}
        for name, definition in self.schema.definitions.items():
            for each in definition.get("x-kubernetes-group-version-kind", []):
                version = "/".join(filter(None, (each["group"], each["version"])))
                self.names[version, each["kind"]] = name
        meta = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
        for (version, kind), spec in FOREIGN.items():
            self.names[version, kind] = kind
            self.schema.definitions[kind] = members(
                "spec", apiVersion=text(), kind=text(), metadata={"$ref": meta}, spec=spec)

    def knows(self, value: dict) -> bool:
        return (value["apiVersion"], value["kind"]) in self.names

    def check(self, value: dict) -> None:
        """Raises a Refusal that names what is unknown, absent or of another type."""
        self.schema.check(self.names[value["apiVersion"], value["kind"]], value)


def read(path: pathlib.Path) -> list[dict]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def is_manifest(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind", "Kustomization") != "Kustomization"


def files() -> Iterator[pathlib.Path]:
    """Those with objects in them."""
    for path in sorted([*MANIFESTS.glob("*.yaml"), *KUSTOMIZE.glob("*/*.yaml")]):
        if all(is_manifest(each) for each in read(path)):
            yield path


def by_name(values: list[dict]) -> dict[tuple[str, str], dict]:
    found = {(each["kind"], each["metadata"]["name"]): each for each in values}
    assert len(found) == len(values), "two objects of the same name"
    return found


def kustomized(directory: pathlib.Path) -> list[dict]:
    done = subprocess.run(["kubectl", "kustomize", str(directory)], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def merged(base: dict, changes: dict) -> dict:
    """As --set does with values."""
    return {**base, **{key: merged(base[key], value)
                       if isinstance(value, dict) and isinstance(base.get(key), dict) else value
                       for key, value in changes.items()}}


def values(**changes: Any) -> dict:
    return merged(read(CHART / "values.yaml")[0], changes)


@functools.cache
def renderer() -> str:
    """Built once for all tests."""
    directory = tempfile.TemporaryDirectory(prefix="cmk-render-")
    atexit.register(directory.cleanup)
    program = directory.name + "/render"
    environment = {"HOME": directory.name, "GOCACHE": directory.name + "/cache", **os.environ}
    subprocess.run(["go", "build", "-o", program, str(HERE / "render_chart.go")], check=True,
                   env=environment)
    return program


def rendered(api_versions: tuple[str, ...] = (POLICY,), **changes: Any) -> list[dict]:
    chart = read(CHART / "Chart.yaml")[0]
    data = {"Values": values(**changes), "ApiVersions": api_versions,
            "Release": {"Name": "cmk", "Namespace": "default", "Service": "Helm", "Revision": 1},
            "Chart": {"Name": chart["name"], "Version": chart["version"],
                      "AppVersion": chart["appVersion"]}}
    done = subprocess.run([renderer(), str(CHART)], input=json.dumps(data), capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def pod_spec(value: dict) -> dict | None:
    """Of whatever makes pods."""
    spec = value.get("spec", {})
    if value["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    if value["kind"] in ("CronJob", "Job", "DaemonSet", "Deployment"):
        return spec["template"]["spec"]
    return spec if value["kind"] == "Pod" else None


def project_version() -> str:
    return re.search(r"version: '([^']+)'", (SOURCE / "meson.build").read_text())[1]
