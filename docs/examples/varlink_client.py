#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes a core over Varlink, works on it and gives it back. Needs nothing but Python 3.9.

    sudo ./varlink_client.py [POOL]

Varlink is JSON with a zero byte behind each message, over a socket that can be mounted into a
container. The interface is lib/ipc/org.cmk.Agent.varlink in CMK's sources.
"""

import json
import os
import socket
import sys
from typing import Any

SOCKET = os.environ.get("CMK_SOCKET", "/run/cmk/agent.sock")
INTERFACE = "org.cmk.Agent"


class AgentError(Exception):
    """What the agent answered instead: a name, and a sentence that says what to do next."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


def call(method: str, parameters: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
    """One call on a connection of its own."""
    request = json.dumps({"method": f"{INTERFACE}.{method}", "parameters": parameters})
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(SOCKET)
        socket.send_fds(connection, [request.encode() + b"\0"], descriptors)
        reply = b""
        while not reply.endswith(b"\0"):
            part = connection.recv(65536)
            if not part:
                raise AgentError("Restarting", "the agent closed the connection")
            reply += part
    answer = json.loads(reply[:-1])
    if "error" in answer:
        name = answer["error"].removeprefix(INTERFACE + ".")
        raise AgentError(name, answer["parameters"].get("message", ""))
    return answer["parameters"]


def isolate(pool: str, cores: int, wait_seconds: int) -> dict[str, Any]:
    """A lease for this process. It names itself by a pidfd, so that no id can be mistaken."""
    pidfd = os.pidfd_open(os.getpid())
    parameters = {"pool": pool, "cores": cores, "wait_ms": wait_seconds * 1000, "pidfd": 0}
    try:
        while True:
            try:
                return call("Isolate", parameters, [pidfd])
            except AgentError as error:
                # The agent is being upgraded and has done nothing: the next one is asked.
                if error.name != "Restarting":
                    raise
    finally:
        os.close(pidfd)


def work() -> None:
    print(f"works on {sorted(os.sched_getaffinity(0))}", flush=True)


def main() -> None:
    pool = sys.argv[1] if len(sys.argv) > 1 else "exclusive"
    lease = isolate(pool, cores=1, wait_seconds=30)

    # From here on this process, and what it starts, runs on these CPUs alone.
    print(f"lease {lease['lease']}, CPUs {lease['cpus']}, grade {lease['grade']}", flush=True)
    work()

    # Without this line the lease ends with the process.
    call("Release", {"lease": lease["lease"]}, [])
    print(f"released, runs on {len(os.sched_getaffinity(0))} CPUs again")


if __name__ == "__main__":
    try:
        main()
    except (AgentError, OSError) as problem:
        sys.exit(str(problem))
