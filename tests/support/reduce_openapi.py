#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reduces Kubernetes' OpenAPI definitions (api/openapi-spec/swagger.json of a release) to what
manifests have: tests/support/reduce_openapi.py swagger.json >tests/data/kube/openapi/1.NN.json

Kinds that the manifests begin to use belong into KINDS.
"""

import json
import sys
from typing import Any, Iterator

KINDS = {"": "Namespace ServiceAccount Secret ConfigMap Service Pod",
         "apps": "DaemonSet Deployment",
         "batch": "Job CronJob",
         "policy": "PodDisruptionBudget",
         "networking.k8s.io": "NetworkPolicy",
         "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding Role RoleBinding",
         "admissionregistration.k8s.io": "MutatingWebhookConfiguration ValidatingAdmissionPolicy "
                                         "ValidatingAdmissionPolicyBinding",
         "apiextensions.k8s.io": "CustomResourceDefinition"}
KEPT = {"$ref", "type", "format", "additionalProperties", "items", "required"}
NAMES = "x-kubernetes-group-version-kind"


def is_root(definition: dict) -> bool:
    return any(each["version"] == "v1" and each["kind"] in KINDS.get(each["group"], "").split()
               for each in definition.get(NAMES, [])[:1])


def reduced(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    kept = {key: reduced(value) for key, value in schema.items() if key in KEPT}
    if "properties" in schema:
        kept["properties"] = {key: reduced(value) for key, value in schema["properties"].items()}
    return kept


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rsplit("/", 1)[1]
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from references(each)


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        definitions = json.load(file)["definitions"]
    found: dict[str, dict] = {}
    left = [name for name, each in definitions.items() if is_root(each)]
    while left:
        name = left.pop()
        if name in found:
            continue
        found[name] = reduced(definitions[name])
        if is_root(definitions[name]):  # manifests have no status
            found[name][NAMES] = definitions[name][NAMES]
            if "status" in found[name]["properties"]:
                found[name]["properties"]["status"] = {"type": "object"}
        left += references(found[name])
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(found[name], sort_keys=True)}"
                       for name in sorted(found))
    print('{"definitions": {\n' + lines + "\n}}")


if __name__ == "__main__":
    main()
