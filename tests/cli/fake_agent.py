# SPDX-License-Identifier: Apache-2.0
"""An agent for tests of cmkctl: answers over Varlink what a test lets it answer."""

import json
import os
import socket
import threading


def lease(lease_id, pool, cpus, pid, command):
    return {"id": lease_id, "pool": pool, "cpus": cpus, "hold": "cpuset", "place": "pool",
            "grade": "B", "status": "committed", "created": 1000, "pid": pid, "uid": 0,
            "user": "root", "command": command, "cgroup": "/user.slice", "container": False,
            "unit": "", "pod": ""}


def pool(name, kind, cpus, free, cores, free_cores, leases):
    return {"name": name, "kind": kind, "mode": "packed", "isolation": "auto",
            "require_grade": "D", "cpus": cpus, "free": free, "cores": cores,
            "free_cores": free_cores, "leases": leases, "waiting": 0, "boot_isolated": False,
            "partition": "member"}


class FakeAgent:
    """Two sockets of four cores with two CPUs each; a lease in the pool exclusive."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "agent.sock")
        self.asked = []  # methods, without the interface
        self.monitors = []
        self.leases = [lease("aa11bb22", "exclusive", "0,8", 42, "a<b>&\x01")]
        self.pools = [pool("exclusive", "exclusive", "0-3,8-11", "1-3,9-11", 4, 3, 1),
                      pool("shared", "shared", "4,12", "4,12", 1, 1, 0)]
        self.silent = False
        self.refuses = False
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(self.path)
        self.server.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self._answer_all(connection)
        except OSError:
            pass  # the other end has gone

    def _answer_all(self, connection):
        data = b""
        while part := connection.recv(65536):
            data += part
            while b"\0" in data:
                message, data = data.split(b"\0", 1)
                method = json.loads(message)["method"].rpartition(".")[2]
                self.asked.append(method)
                if self.silent:
                    continue
                if method == "Monitor":
                    self.monitors.append(connection)
                    self._reply(connection, {}, continues=True)
                else:
                    self._reply(connection, self._answer(method))

    def _answer(self, method):
        if self.refuses:
            return {"error": "org.cmk.Agent.NotPermitted", "parameters": {"message": "refused"}}
        if method == "GetTopology":
            cpus = [{"cpu": cpu, "core": cpu % 8, "package": cpu % 8 // 4, "numa": cpu % 8 // 4,
                     "llc": cpu % 8 // 4, "kind": ""} for cpu in range(16)]
            return {"cpus": cpus, "isolated": "", "mechanism": "cgroup v2 partition",
                    "version": "9.9", "problems": []}
        if method == "GetMetrics":
            return {"text": f"# TYPE leases gauge\nleases {len(self.leases)}\n"}
        if method == "ListPools":
            return {"pools": self.pools}
        if method == "ListLeases":
            return {"leases": self.leases}
        return {"verdicts": []}

    @staticmethod
    def _reply(connection, parameters, continues=False):
        reply = {"parameters": parameters}
        if "error" in parameters:
            reply = parameters
        if continues:
            reply["continues"] = True
        connection.sendall(json.dumps(reply).encode() + b"\0")

    def tell(self):
        """An event for everybody who watches."""
        for connection in self.monitors:
            try:
                self._reply(connection, {"event": {"kind": "pools_changed"}}, continues=True)
            except OSError:
                pass  # it has ended

    def restart(self):
        """Those who watch lose their connections; the socket stays, as systemd keeps it."""
        monitors, self.monitors = self.monitors, []
        for connection in monitors:
            self._shut(connection)

    @staticmethod
    def _shut(connection):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is closed, or the other end has gone already

    def close(self):
        self._shut(self.server)  # or the thread would accept one more
        self.server.close()
        self.restart()
