# SPDX-License-Identifier: Apache-2.0
"""What an API server does with a new pod: it asks webhooks and applies PodSecurity."""

import base64
import http.client
import json
import socket
import ssl
import uuid

from api_server import json_patch
from refusals import Refusal

LEVEL = "pod-security.kubernetes.io/enforce"


def check_account(pod: dict, is_there: bool) -> None:
    if not is_there:
        account, metadata = pod["spec"]["serviceAccountName"], pod["metadata"]
        raise Refusal(403, f'pods "{metadata.get("name", "")}" is forbidden: error looking up '
                           f'service account {metadata["namespace"]}/{account}: '
                           f'serviceaccount "{account}" not found')


def check_level(pod: dict, labels: dict[str, str]) -> None:
    """By the labels of the namespace: what keeps our pods out, in the words of real servers."""
    level = labels.get(LEVEL, "privileged")
    volumes = [f'"{each["name"]}"' for each in pod["spec"].get("volumes", []) if "hostPath" in each]
    if level != "privileged" and volumes:
        raise Refusal(403, f'pods "{pod["metadata"].get("name", "")}" is forbidden: violates '
                           f'PodSecurity "{level}:latest": hostPath volumes '
                           f'(volume{"s" * (len(volumes) > 1)} {", ".join(volumes)})')


def is_excluded(webhook: dict, pod: dict) -> bool:
    labels = pod["metadata"].get("labels", {})
    return any(labels.get(each["key"]) in each["values"]
               for each in webhook.get("objectSelector", {}).get("matchExpressions", []))


def mutate(webhook: dict, pod: dict, port: int) -> None:
    """Asks a webhook that listens at the port, and does what its patch says."""
    if is_excluded(webhook, pod):
        return
    request = {"uid": str(uuid.uuid4()), "kind": {"group": "", "version": "v1", "kind": "Pod"},
               "resource": {"group": "", "version": "v1", "resource": "pods"},
               "namespace": pod["metadata"]["namespace"], "operation": "CREATE", "object": pod}
    try:
        answer = post(webhook["clientConfig"], port, {
            "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request})
    except (OSError, ValueError, http.client.HTTPException):
        if webhook.get("failurePolicy") == "Ignore":
            return
        raise
    response = answer["response"]
    if not response["allowed"]:
        raise Refusal(403, f'admission webhook "{webhook["name"]}" denied the request: '
                           f'{response.get("status", {}).get("message", "")}')
    if "patch" in response:
        pod.update(json_patch(pod, json.loads(base64.b64decode(response["patch"]))))


def post(client: dict, port: int, body: dict) -> dict:
    """To the Service's name, for which the caBundle has to vouch."""
    service = client["service"]
    host = f'{service["name"]}.{service["namespace"]}.svc'
    context = ssl.create_default_context(cadata=base64.b64decode(client["caBundle"]).decode())
    connection = http.client.HTTPSConnection(host, timeout=10)
    plain = socket.create_connection(("127.0.0.1", port), 10)
    connection.sock = context.wrap_socket(plain, server_hostname=host)
    try:
        connection.request("POST", service.get("path", "/"), json.dumps(body),
                           {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
