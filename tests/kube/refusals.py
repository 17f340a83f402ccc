# SPDX-License-Identifier: Apache-2.0
"""Answers of the test API server that are not what was asked for."""

import json
import pathlib
from typing import Callable

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "kube"
REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound",
           405: "MethodNotAllowed", 409: "Conflict", 410: "Expired", 415: "UnsupportedMediaType",
           422: "Invalid", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable",
           504: "Timeout"}


class Refusal(Exception):
    """An answer that is not what was asked for."""

    def __init__(self, code: int, message: str = "", details: dict | None = None,
                 text: str | None = None, headers: dict | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.headers = headers or {}
        if text is not None:
            self.body, self.kind = text, "text/plain; charset=utf-8"
        else:
            status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                      "message": message or REASONS.get(code, ""),
                      "reason": reason or REASONS.get(code, ""), "code": code}
            if details is not None:
                status["details"] = details
            self.body, self.kind = json.dumps(status) + "\n", "application/json"


def recorded(name: str) -> Refusal:
    """As a real server answered: "1.36.2/215-429-priority-and-fairness"."""
    response = json.loads((DATA / "recorded" / f"{name}.json").read_text())["response"]
    headers = {key: value for key, value in response["headers"]}
    refusal = Refusal(response["status"], text=response["body"])
    refusal.kind = headers.get("Content-Type", "text/plain")
    refusal.headers = {key: headers[key] for key in ("Retry-After",) if key in headers}
    return refusal


# Failures that are answers; those in Handler.misbehave are none, or not whole ones.
ANSWERS: dict[str, Callable[[], Refusal]] = {
    "401": lambda: recorded("1.36.2/010-401-invalid-token"),
    "403": lambda: Refusal(403, "forbidden: User \"u\" cannot do that"),
    "404": lambda: Refusal(404, "the server could not find the requested resource", details={}),
    "404-text": lambda: recorded("1.36.2/016-404-group"),
    "409": lambda: recorded("1.36.2/089-409-patch-with-stale-resourceVersion"),
    "410": lambda: Refusal(410, "the provided continue parameter is too old"),
    "422": lambda: recorded("1.36.2/163-422-custom-resource-invalid"),
    "429-text": lambda: recorded("1.36.2/215-429-priority-and-fairness"),
    "429-status": lambda: recorded("1.36.2/156-custom-resource-right-after-crd"),
    "500": lambda: Refusal(500, "rpc error: code = Unavailable desc = transport is closing"),
    "503": lambda: Refusal(503, "the server is currently unable to handle the request"),
    "504-bare": lambda: recorded("1.36.2/218-etcd-stopped-patch"),
    "taint": lambda: Refusal(403, "nodes \"node1\" is forbidden: is not allowed to modify taints"),
}
