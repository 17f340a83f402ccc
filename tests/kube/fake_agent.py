# SPDX-License-Identifier: Apache-2.0
"""An agent on a Varlink socket whose pools and leases are what a test says."""

import json
import pathlib
import socket
import threading


class FakeAgent:
    """Cores without siblings on one package: some exclusive, one shared, the rest infra."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.cpus = 16
        self.exclusive = 4
        self.has_exclusive = True
        self.leases: list[dict] = []
        self.problems: list[str] = []
        self.calls: list[str] = []
        self.lock = threading.Lock()
        self.monitors: list[socket.socket] = []
        self.open: list[socket.socket] = []
        self.listener: socket.socket | None = None
        self.start()

    def start(self) -> None:
        self.path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self.path))
        listener.listen(16)
        self.listener = listener
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        """Goes away, and so do its connections."""
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        self.path.unlink(missing_ok=True)
        with self.lock:
            for each in self.open:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.open, self.monitors = [], []

    def resize(self, exclusive: int) -> None:
        self.exclusive = exclusive
        self.tell({"kind": "pools_changed"})

    def lease(self, identity: str, core: int, pod: bool, grade: str = "B") -> None:
        lease = {"id": identity, "pool": "exclusive", "cpus": str(core), "hold": "cpuset",
                 "grade": grade, "status": "committed", "created": 1, "pid": 4000 + core, "uid": 0,
                 "user": "root", "command": "worker",
                 "cgroup": "/kubepods/pod1/abc" if pod else "/system.slice/x.service",
                 "container": pod}
        self.leases.append(lease)
        self.tell({"kind": "lease_added", "lease": lease})

    def tell(self, event: dict) -> None:
        with self.lock:
            for each in list(self.monitors):
                try:
                    each.sendall(self.frame({"event": event}, True))
                except OSError:
                    self.monitors.remove(each)

    @staticmethod
    def frame(parameters: dict, continues: bool = False) -> bytes:
        message: dict = {"parameters": parameters}
        if continues:
            message["continues"] = True
        return json.dumps(message).encode() + b"\0"

    def accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        data = b""
        while True:
            try:
                part = connection.recv(65536)
            except OSError:
                return
            if not part:
                return
            data += part
            while b"\0" in data:
                message, _, data = data.partition(b"\0")
                self.answer(connection, json.loads(message)["method"].rsplit(".", 1)[1])

    def answer(self, connection: socket.socket, method: str) -> None:
        self.calls.append(method)
        replies = {"GetTopology": self.topology, "ListPools": self.pools,
                   "ListLeases": lambda: {"leases": self.leases},
                   "Reconcile": lambda: {"leases": len(self.leases), "repaired": [],
                                         "problems": self.problems}}
        with self.lock:
            if method == "Monitor":
                self.monitors.append(connection)
                connection.sendall(self.frame({}, True))
            else:
                connection.sendall(self.frame(replies[method]()))

    def topology(self) -> dict:
        cpus = [{"cpu": i, "core": i, "package": 0, "numa": 0, "llc": 0, "kind": ""}
                for i in range(self.cpus)]
        return {"cpus": cpus, "isolated": "", "mechanism": "cgroup v2 cpuset", "version": "0.1.0",
                "problems": self.problems}

    def pools(self) -> dict:
        end = self.exclusive
        taken = {int(lease["cpus"]) for lease in self.leases}
        free = [str(i) for i in range(end) if i not in taken]
        rest, left = f"{end + 1}-{self.cpus - 1}", self.cpus - 1 - end
        pools = [self.pool("exclusive", "exclusive", f"0-{end - 1}", ",".join(free), end, len(free)),
                 self.pool("shared", "shared", str(end), str(end), 1, 1),
                 self.pool("infra", "shared", rest, rest, left, left)]
        return {"pools": pools if self.has_exclusive else pools[1:]}

    def pool(self, name: str, kind: str, cpus: str, free: str, cores: int, free_cores: int) -> dict:
        return {"name": name, "kind": kind, "mode": "packed", "isolation": "auto",
                "require_grade": "D", "cpus": cpus, "free": free, "cores": cores,
                "free_cores": free_cores,
                "leases": sum(lease["pool"] == name for lease in self.leases), "waiting": 0,
                "boot_isolated": False, "partition": "member"}
