# SPDX-License-Identifier: Apache-2.0
"""What a ServiceAccount may do, as manifests say it.

    rbac = Rbac(objects, "cmk-publisher")
    rbac.allows("patch", "", "nodes/status", "", "node1")
    rbac.unused()       # what was granted and not asked for
    rbac.refused        # what was asked for and not granted
"""

from typing import Iterator, NamedTuple


class Grant(NamedTuple):
    verb: str
    group: str
    resource: str
    namespace: str  # "" is all of them
    name: str  # "" is any

    def covers(self, verb: str, group: str, resource: str, namespace: str, name: str) -> bool:
        # A name that is not known when it is asked for, as of a list, is never the one granted.
        return (self.verb, self.group, self.resource) == (verb, group, resource) and (
            self.namespace in ("", namespace)) and self.name in ("", name)


def grants_of(role: dict, namespace: str) -> Iterator[Grant]:
    for rule in role["rules"]:
        for verb in rule["verbs"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for name in rule.get("resourceNames", [""]):
                        yield Grant(verb, group, resource, namespace, name)


class Rbac:
    def __init__(self, objects: list[dict], account: str, namespace: str = "default") -> None:
        self.refused: list[str] = []
        self.used: set[Grant] = set()
        self.grants: set[Grant] = set()
        roles = {(each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
                 for each in objects if each["kind"] in ("Role", "ClusterRole")}
        subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
        for binding in objects:
            if binding["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
                continue
            if subject not in binding["subjects"]:
                continue
            within = binding["metadata"].get("namespace", "")
            named = binding["roleRef"]
            role = roles[(named["kind"], within if named["kind"] == "Role" else "", named["name"])]
            self.grants |= set(grants_of(role, within))

    def matching(self, *asked: str) -> set[Grant]:
        return {each for each in self.grants if each.covers(*asked)}

    def would_allow(self, *asked: str) -> bool:
        """For a review, which uses nothing."""
        return bool(self.matching(*asked))

    def allows(self, verb: str, group: str, resource: str, namespace: str, name: str) -> bool:
        matching = self.matching(verb, group, resource, namespace, name)
        self.used |= matching
        if not matching:
            self.refused.append(f"{verb} {resource} {group} {namespace}/{name}")
        return bool(matching)

    def unused(self) -> set[str]:
        return {f"{each.verb} {each.resource}" for each in self.grants - self.used}
