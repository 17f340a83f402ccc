#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What webhook_bench compares with: a minimal server on Python's http.server and ssl that does the
work of CMK 1.3's webhook for each request: JSON in, mutations.yaml read (once only with --kept),
the deep merge, two replacing operations as base64 and JSON out.

Usage: webhook_python.py [--kept] --conf-file FILE

FILE is a server.yaml as the webhook reads it. Says on which port it listens.
"""

import base64
import copy
import functools
import http.server
import json
import re
import ssl
import sys
from collections.abc import Callable

import yaml

RESOURCE = "cmk.intel.com/exclusive-cores"


def read_mutations(path: str) -> dict:
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)["mutations"]


def merge(target: dict, extra: dict) -> None:
    for key, value in extra.items():
        if key not in target:
            target[key] = copy.deepcopy(value)
        elif isinstance(value, dict):
            merge(target[key], value)
        elif isinstance(value, list):
            target[key] = target[key] + value
        else:
            target[key] = value


def wanted(container: dict) -> str | None:
    resources = container.get("resources", {})
    return resources.get("requests", {}).get(RESOURCE, resources.get("limits", {}).get(RESOURCE))


def mutate(review: dict, mutations: Callable[[], dict]) -> dict:
    request = review.pop("request")
    pod = request["object"]
    response = {"allowed": True, "uid": request["uid"]}
    if any(wanted(container) for container in pod["spec"]["containers"]):
        wishes = mutations()
        merge(pod, wishes["perPod"])
        for container in pod["spec"]["containers"]:
            merge(container, wishes["perContainer"])
            if wanted(container):
                container["env"].append({"name": "CMK_NUM_CORES", "value": wanted(container)})
        patch = [{"op": "replace", "path": f"/{part}", "value": pod[part]}
                 for part in ("metadata", "spec")]
        response["patch"] = base64.b64encode(json.dumps(patch).encode()).decode()
    review["response"] = response
    return review


class Handler(http.server.BaseHTTPRequestHandler):
    mutations: Callable[[], dict]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps(mutate(json.loads(body), type(self).mutations)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: object) -> None:
        pass


def main() -> None:
    with open(sys.argv[-1], encoding="utf-8") as file:
        settings = dict(re.findall(r"^ +([\w-]+): (\S+)$", file.read(), re.MULTILINE))
    mutations = functools.partial(read_mutations, settings["mutations"])
    Handler.mutations = functools.cache(mutations) if "--kept" in sys.argv else mutations
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings["cert"], settings["key"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"listening on 127.0.0.1 port {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
