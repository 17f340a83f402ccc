# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes API server for tests: nodes, events, definitions and custom resources over TLS.

It authenticates (bearer tokens, client certificates), authorizes by verb and resource, keeps
resourceVersions, takes merge and JSON patches, watches with bookmarks, and checks what it is sent
against the OpenAPI definitions of tests/data/kube, refusing unknown fields. Error bodies are those
that real servers gave (tests/data/kube/recorded). It can be told to fail in every way that they do:

    server = ApiServer(directory)
    server.add_node("node1")
    server.fail("429-text", method="PATCH", path="/status", times=2)
    server.requests            # what came, in order
"""

import copy
import http.server
import json
import pathlib
import re
import socket
import ssl
import threading
import time
import urllib.parse
import uuid
from typing import Any, Callable, NamedTuple

from certificates import Certificates
from rbac import Rbac
from refusals import ANSWERS, DATA, Refusal

CORE = "io.k8s.api.core.v1."
CRD = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
CRD_GROUP = "apiextensions.k8s.io"


class Fault(NamedTuple):
    how: str
    method: str
    path: re.Pattern
    body: str


class Schema:
    """Checks objects against the published definitions: those of the newest server, and of an older
    one what we have not of that."""

    def __init__(self, *names: str) -> None:
        self.definitions: dict[str, Any] = {}
        for name in names or ("openapi/1.30.json", "openapi.json", "openapi-cluster.json"):
            self.definitions.update(json.loads((DATA / name).read_text())["definitions"])

    def check(self, name: str, value: Any) -> None:
        problems: list[str] = []
        self._check({"$ref": "#/definitions/" + name}, value, "", problems)
        if problems:
            raise Refusal(400, "strict decoding error: " + ", ".join(problems))

    def _check(self, schema: dict, value: Any, path: str, problems: list[str]) -> None:
        if isinstance(schema.get("$ref"), str):
            schema = self.definitions[schema["$ref"].rsplit("/", 1)[1]]
        kind = schema.get("type")
        types = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict,
                 "number": (int, float)}
        if value is None or schema.get("format") == "int-or-string" and isinstance(value, int):
            return
        if kind in types and not isinstance(value, types[kind]):
            problems.append(f"{path or 'object'} is no {kind}")
        elif schema.get("format") == "date-time" and not re.fullmatch(
                r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", value):
            problems.append(f"{path} is no time: {value}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._check(schema.get("items", {}), item, f"{path}[{index}]", problems)
        elif isinstance(value, dict):
            self._check_members(schema, value, path, problems)

    def _check_members(self, schema: dict, value: dict, path: str, problems: list[str]) -> None:
        known = schema.get("properties")
        for key in schema.get("required", []):
            if key not in value:
                problems.append(f"{path}.{key} is required")
        for key, item in value.items():
            if known is not None and key in known:
                self._check(known[key], item, f"{path}.{key}", problems)
            elif "additionalProperties" in schema:
                self._check(schema["additionalProperties"], item, f"{path}.{key}", problems)
            elif known is not None:
                problems.append(f"unknown field \"{path.lstrip('.')}.{key}\"")


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def json_patch(target: Any, operations: Any) -> Any:
    """RFC 6902: add, replace, remove and test."""
    if not isinstance(operations, list):
        raise Refusal(400, "json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    result = copy.deepcopy(target)
    for operation in operations:
        keys = [k.replace("~1", "/").replace("~0", "~") for k in operation["path"].split("/")[1:]]
        parent = result
        try:
            for key in keys[:-1]:
                parent = parent[int(key)] if isinstance(parent, list) else parent[key]
            last = keys[-1]
            if isinstance(parent, list) and operation["op"] == "add":
                parent.insert(len(parent) if last == "-" else int(last), operation["value"])
            elif operation["op"] in ("add", "replace"):
                parent[int(last) if isinstance(parent, list) else last] = operation["value"]
            elif operation["op"] == "remove":
                del parent[int(last) if isinstance(parent, list) else last]
            elif parent[last] != operation["value"]:
                raise KeyError(last)
        except (KeyError, IndexError, ValueError, TypeError) as problem:
            raise Refusal(422, f"the server rejected our request: {problem}") from problem
    return result


def canonical(quantity: str) -> str:
    """As servers write a quantity back: "1000" becomes "1k"."""
    return re.sub(r"^([1-9]\d*)000$", r"\1k", quantity)


class Resource(NamedTuple):
    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    schema: str = ""


BUILT_IN = [
    Resource("", "v1", "nodes", "Node", False, CORE + "Node"),
    Resource("", "v1", "events", "Event", True, CORE + "Event"),
    Resource(CRD_GROUP, "v1", "customresourcedefinitions", "CustomResourceDefinition", False, CRD),
    Resource(CRD_GROUP, "v1beta1", "customresourcedefinitions", "CustomResourceDefinition", False),
    Resource("extensions", "v1beta1", "thirdpartyresources", "ThirdPartyResource", False),
]


def selected(query: dict, value: dict) -> bool:
    """Is the object one that labelSelector and fieldSelector ask for?"""
    for part in filter(None, query.get("labelSelector", "").split(",")):
        key, equals, wanted = part.partition("=")
        labels = value["metadata"].get("labels", {})
        if key not in labels or equals and labels[key] != wanted:
            return False
    for part in filter(None, query.get("fieldSelector", "").split(",")):
        path, _, wanted = part.partition("=")
        found: Any = value
        for key in path.split("."):
            found = found.get(key, {}) if isinstance(found, dict) else {}
        if found != wanted:
            return False
    return True


class Target(NamedTuple):
    resource: Resource
    namespace: str
    name: str
    subresource: str

    @property
    def collection(self) -> tuple[str, str, str]:
        return (self.resource.group, self.resource.plural, self.namespace)


class Store:
    """Objects, versions, and what watchers see."""

    def __init__(self, version: str) -> None:
        self.lock = threading.Condition()
        self.version = version
        self.minor = int(version.split(".")[1])
        self.counter = 100
        self.objects: dict[tuple[str, str, str], dict[str, dict]] = {}
        self.events: list[tuple[tuple[str, str, str], str, dict]] = []
        self.crd_delay = 0.0  # seconds until a new definition is established

    built_in = BUILT_IN

    def resources(self) -> list[Resource]:
        found = [each for each in self.built_in if self.serves(each)]
        now = time.monotonic()
        for definition in self.objects.get((CRD_GROUP, "customresourcedefinitions", ""), {}).values():
            spec = definition["spec"]
            if now >= definition.get("_since", 0):
                found.append(Resource(spec["group"], spec.get("version", "v1"),
                                      spec["names"]["plural"], spec["names"]["kind"], True))
        for each in self.objects.get(("extensions", "thirdpartyresources", ""), {}):
            kind = each.split(".")[0]
            found.append(Resource("cmk.intel.com", "v1", kind + "s", kind.capitalize(), True))
        return found

    def serves(self, resource: Resource) -> bool:
        if resource.group == "extensions":
            return self.minor < 7
        if resource.group != CRD_GROUP:
            return True
        return self.minor >= 16 if resource.version == "v1" else 7 <= self.minor < 22

    def put(self, target: Target, name: str, value: dict, event: str) -> dict:
        self.counter += 1
        value["metadata"]["resourceVersion"] = str(self.counter)
        self.objects.setdefault(target.collection, {})[name] = value
        self.tell(target.collection, event, value)
        return value

    def remove(self, collection: tuple[str, str, str], name: str) -> dict:
        value = self.objects[collection].pop(name)
        self.counter += 1
        value["metadata"]["resourceVersion"] = str(self.counter)
        self.tell(collection, "DELETED", value)
        return value

    def tell(self, collection: tuple[str, str, str], event: str, value: dict) -> None:
        self.events.append((collection, event, copy.deepcopy(value)))
        self.lock.notify_all()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "ApiServer"

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            pass  # the client went away

    def do_any(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(size).decode()
        url = urllib.parse.urlsplit(self.path)
        self.query = {k: v[-1] for k, v in urllib.parse.parse_qs(url.query).items()}
        self.entry = {"method": self.command, "path": url.path, "query": self.query,
                      "body": self.body, "type": self.headers.get("Content-Type", ""),
                      "time": time.monotonic(), "status": 0, "received": 0}
        self.server.requests.append(self.entry)
        try:
            self.user = self.server.authenticate(self.headers, self.connection)
            self.server.meddle(self.command, url.path, self.body)
            fault = self.server.take_fault(self.command, url.path, self.query, self.body)
            if fault in ANSWERS:
                raise ANSWERS[fault]()
            if fault and self.misbehave(fault):
                return
            self.answer(url.path)
        except Refusal as refusal:
            self.send_text(refusal.code, refusal.body, refusal.kind, refusal.headers)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_any

    def misbehave(self, how: str) -> bool:
        """True when there is no more to answer."""
        if how.startswith("slow-"):
            time.sleep(float(how[5:]))
            return False
        if how.startswith("watch-"):
            self.watch_fault = how
            return False
        self.close_connection = True
        if how == "cut":
            self.entry["status"] = 200
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             b"Content-Length: 1000\r\n\r\n{\"kind\":")
        elif how == "garbage":
            self.send_text(200, "<html>proxy</html>", "text/html", {})
        elif how == "lie":
            self.send_text(200, '{"kind":"Pod","metadata":{"name":7}}', "application/json", {})
        return True

    def send_text(self, code: int, text: str, kind: str, headers: dict) -> None:
        data = text.encode()
        self.entry["status"], self.entry["received"] = code, len(data)
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)

    def send_object(self, code: int, value: dict) -> None:
        value = {k: v for k, v in value.items() if not k.startswith("_")}
        if "as=PartialObjectMetadata" in self.headers.get("Accept", "") and self.server.store.minor > 14:
            value = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                     "metadata": value["metadata"]}
        self.send_text(code, json.dumps(value) + "\n", "application/json", {})

    # ---- requests ------------------------------------------------------------------------------

    def answer(self, path: str) -> None:
        fixed = self.server.discovery(path)
        if fixed is not None:
            return self.send_text(200, fixed, "application/json", {})
        target = self.server.find(path)
        verb = {"GET": "get" if target.name else "list", "POST": "create", "PUT": "update",
                "PATCH": "patch", "DELETE": "delete"}[self.command]
        if self.query.get("watch") in ("1", "true"):
            verb = "watch"
        self.server.authorize(self.user, verb, target)
        if verb == "watch":
            return self.watch(target)
        with self.server.store.lock:
            return getattr(self, verb)(target)

    def existing(self, target: Target) -> dict:
        found = self.server.store.objects.get(target.collection, {}).get(target.name)
        if found is None:
            resource = target.resource
            full = resource.plural + ("." + resource.group if resource.group else "")
            raise Refusal(404, f'{full} "{target.name}" not found',
                          details={"name": target.name, "kind": resource.plural})
        return found

    def get(self, target: Target) -> None:
        self.send_object(200, self.existing(target))

    def list(self, target: Target) -> None:
        objects = [each for each in self.server.store.objects.get(target.collection, {}).values()
                   if selected(self.query, each)]
        metadata = {"resourceVersion": str(self.server.store.counter)}
        limit, begin = int(self.query.get("limit", "0")), int(self.query.get("continue", "at:0")[3:])
        if limit and begin + limit < len(objects):
            metadata["continue"] = f"at:{begin + limit}"
        self.send_object(200, {"kind": target.resource.kind + "List", "apiVersion": "v1",
                               "metadata": metadata,
                               "items": objects[begin:begin + limit if limit else None]})

    def parsed(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError as problem:
            raise Refusal(400, f"the object provided is unrecognized: {problem}") from problem

    def create(self, target: Target) -> None:
        value = self.parsed()
        metadata = value.setdefault("metadata", {})
        if "generateName" in metadata and "name" not in metadata:
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        if metadata.get("resourceVersion"):
            raise Refusal(400, "resourceVersion should not be set on objects to be created")
        if metadata["name"] in self.server.store.objects.get(target.collection, {}):
            raise Refusal(409, f'{target.resource.plural} "{metadata["name"]}" already exists',
                          reason="AlreadyExists", details={"name": metadata["name"]})
        self.server.check(target, value)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if target.resource.plural == "customresourcedefinitions":
            self.server.establish(value)
        self.send_object(201, self.server.store.put(target, metadata["name"], value, "ADDED"))

    def update(self, target: Target) -> None:
        old, value = self.existing(target), self.parsed()
        version = value.get("metadata", {}).get("resourceVersion")
        if not version:
            raise Refusal(422, "metadata.resourceVersion: Invalid value: 0x0: must be specified")
        self.store_change(target, old, value)

    def patch(self, target: Target) -> None:
        old, patch = self.existing(target), self.parsed()
        kind = self.headers.get("Content-Type", "")
        # Without lists and directives, kubectl's sort of patch is no other.
        is_plain = kind == "application/strategic-merge-patch+json" and not set("[$") & set(self.body)
        if kind == "application/merge-patch+json" or is_plain:
            value = merge_patch(old, patch)
        elif kind == "application/json-patch+json":
            value = json_patch(old, patch)
        else:
            raise Refusal(415, f"the body of the request was in an unknown format: {kind}")
        self.store_change(target, old, value)

    def store_change(self, target: Target, old: dict, value: dict) -> None:
        if value["metadata"].get("resourceVersion") != old["metadata"]["resourceVersion"]:
            raise Refusal(409, f'Operation cannot be fulfilled on {target.resource.plural} '
                               f'"{target.name}": the object has been modified; please apply your '
                               'changes to the latest version and try again')
        for key in ("uid", "name", "creationTimestamp"):
            if key in old["metadata"]:
                value["metadata"][key] = old["metadata"][key]
        if target.resource.plural == "nodes":  # each of the two keeps the other's part
            kept, part = (old, "status") if target.subresource == "" else (value, "status")
            value = {**(value if target.subresource == "" else old), part: kept.get(part, {})}
            value["metadata"] = dict(value["metadata"])
        self.server.check(target, value)
        if value == old:
            return self.send_object(200, old)
        return self.send_object(200, self.server.store.put(target, target.name, value, "MODIFIED"))

    def delete(self, target: Target) -> None:
        self.existing(target)
        self.server.remove(target.collection, target.name)
        self.send_text(200, json.dumps({"kind": "Status", "apiVersion": "v1", "metadata": {},
                                        "status": "Success"}), "application/json", {})

    # ---- watches -------------------------------------------------------------------------------

    watch_fault = ""

    def chunk(self, value: dict) -> None:
        data = json.dumps(value).encode() + b"\n"
        self.entry["received"] += len(data)
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def watch(self, target: Target) -> None:
        store = self.server.store
        end = time.monotonic() + float(self.query.get("timeoutSeconds", "1800"))
        with store.lock:
            at = len(store.events)
            first = [copy.deepcopy(v) for v in store.objects.get(target.collection, {}).values()
                     if selected(self.query, v)]
        self.entry["status"] = 200
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.watch_fault == "watch-410":
            self.chunk({"type": "ERROR", "object": json.loads(Refusal(
                410, "too old resource version: 1 (354)").body)})
            end = 0.0
        elif self.watch_fault == "watch-garbage":
            self.chunk({"type": "ADDED", "object": {"kind": "Pod"}})
        elif self.watch_fault != "watch-silent":
            for value in first:
                self.chunk({"type": "ADDED", "object": value})
        if self.watch_fault == "watch-cut":
            self.wfile.write(b"100\r\n{\"type\":\"MOD")
            self.close_connection = True
            return
        self.follow(target, at, end)
        self.wfile.write(b"0\r\n\r\n")

    def follow(self, target: Target, at: int, end: float) -> None:
        store = self.server.store
        generation = self.server.generation
        bookmark = time.monotonic() + self.server.bookmark_every
        while time.monotonic() < end and generation == self.server.generation:
            with store.lock:
                if len(store.events) == at:
                    store.lock.wait(min(0.2, max(0.0, end - time.monotonic())))
                news, at = store.events[at:], len(store.events)
            if self.watch_fault == "watch-silent":
                continue
            for collection, kind, value in news:
                if collection == target.collection and selected(self.query, value):
                    self.chunk({"type": kind, "object": value})
            if time.monotonic() >= bookmark and "allowWatchBookmarks" in self.query:
                bookmark = time.monotonic() + self.server.bookmark_every
                self.chunk({"type": "BOOKMARK", "object": {
                    "kind": target.resource.kind, "apiVersion": "v1",
                    "metadata": {"resourceVersion": str(store.counter)}}})


class ApiServer(http.server.ThreadingHTTPServer):
    handler = Handler
    store_type = Store
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, directory: pathlib.Path, version: str = "1.36.2",
                 certificates: Certificates | None = None) -> None:
        self.directory = directory
        self.store = self.store_type(version)
        self.schema = Schema()
        self.requests: list[dict] = []
        self.faults: list[Fault] = []
        self.actions: list[tuple[Fault, Callable[[], None]]] = []
        self.tokens = {"admin-token": "admin"}
        self.roles: dict[str, set[str] | Rbac | None] = {"admin": None}  # None: everything
        self.bookmark_every = 60.0
        self.generation = 0  # watches of an earlier one end
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.certificates = certificates or Certificates(directory)
        self.context.load_verify_locations(self.certificates.ca)
        self.context.load_cert_chain(*self.certificates.server())
        super().__init__(("127.0.0.1", 0), self.handler)
        self.port = self.server_address[1]
        self.connections: set[socket.socket] = set()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def handle_error(self, *_: object) -> None:
        pass

    def get_request(self) -> tuple[ssl.SSLSocket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The handshake belongs into the connection's own thread.
        wrapped = self.context.wrap_socket(connection, server_side=True,
                                           do_handshake_on_connect=False)
        self.connections.add(wrapped)
        return wrapped, address

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """As when a server goes away."""
        self.generation += 1
        for each in list(self.connections):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self.drop_connections()

    def use(self, certificates: Certificates, names: str) -> None:
        """Shows a server certificate of this CA for these names from the next connection on."""
        self.context.load_cert_chain(*certificates.issue(f"server-{uuid.uuid4().hex[:6]}",
                                                         "/CN=kube-apiserver", names))

    # ---- what tests do to it -------------------------------------------------------------------

    def fail(self, how: str, method: str = "", path: str = "", times: int = 1, body: str = "") -> None:
        """The next requests of that method ("WATCH" too) whose path and body match go wrong."""
        self.faults += [Fault(how, method, re.compile(path), body)] * times

    def take_fault(self, method: str, path: str, query: dict, body: str) -> str:
        if "watch" in query:
            method = "WATCH"
        for fault in self.faults:
            if (fault.method in ("", method) and fault.path.search(path) and fault.body in body):
                self.faults.remove(fault)
                return fault.how
        return ""

    def before(self, method: str, path: str, body: str, action: Callable[[], None]) -> None:
        """Does something just before the next such request, as if somebody else had."""
        self.actions.append((Fault("", method, re.compile(path), body), action))

    def meddle(self, method: str, path: str, body: str) -> None:
        for entry in list(self.actions):
            fault, action = entry
            if fault.method == method and fault.path.search(path) and fault.body in body:
                self.actions.remove(entry)
                action()

    def add_node(self, name: str, **spec: Any) -> dict:
        node = {"kind": "Node", "apiVersion": "v1",
                "metadata": {"name": name, "uid": str(uuid.uuid4()),
                             "labels": {"kubernetes.io/hostname": name}},
                "spec": spec,
                "status": {"capacity": {"cpu": "16", "memory": "14778328Ki", "pods": "110"},
                           "allocatable": {"cpu": "16", "memory": "14778328Ki", "pods": "110"}}}
        with self.store.lock:
            return self.store.put(self.find(f"/api/v1/nodes/{name}"), name, node, "ADDED")

    def node(self, name: str) -> dict:
        return self.object("/api/v1/nodes/" + name)

    def object(self, path: str) -> dict | None:
        with self.store.lock:
            target = self.find(path)
            return copy.deepcopy(self.store.objects.get(target.collection, {}).get(target.name))

    def change_node(self, name: str, change: Callable[[dict], None]) -> None:
        self.change_object("/api/v1/nodes/" + name, change)

    def change_object(self, path: str, change: Callable[[dict], None]) -> None:
        """As somebody else does."""
        with self.store.lock:
            target = self.find(path)
            value = copy.deepcopy(self.store.objects[target.collection][target.name])
            change(value)
            self.store.put(target, target.name, value, "MODIFIED")

    def remove(self, collection: tuple[str, str, str], name: str) -> None:
        """Deletes an object, and what it owns, as the garbage collector does."""
        with self.store.lock:
            uid = self.store.remove(collection, name)["metadata"].get("uid")
            for other, objects in list(self.store.objects.items()):
                for key, value in list(objects.items()):
                    owners = value["metadata"].get("ownerReferences", [])
                    if any(owner["uid"] == uid for owner in owners):
                        self.store.remove(other, key)

    def remove_node(self, name: str) -> None:
        self.remove(("", "nodes", ""), name)

    def writes(self, since: int = 0) -> list[dict]:
        return [each for each in self.requests[since:] if each["method"] != "GET"]

    def kubeconfig(self, name: str = "kubeconfig", user: dict | None = None, **cluster: Any) -> pathlib.Path:
        """For kubectl and for us; JSON is YAML."""
        cluster = {"server": f"https://127.0.0.1:{self.port}",
                   "certificate-authority": str(self.certificates.ca), **cluster}
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "c",
                  "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
                  "clusters": [{"name": "k", "cluster": cluster}],
                  "users": [{"name": "u", "user": user or {"token": "admin-token"}}]}
        path = self.directory / name
        path.write_text(json.dumps(config, indent=1))
        return path

    def define_reports(self) -> None:
        """As an administrator does with the manifest."""
        for plural, kind in (("cmk-nodereports", "Cmk-nodereport"),
                             ("cmk-reconcilereports", "Cmk-reconcilereport")):
            value = {"metadata": {"name": plural + ".intel.com", "uid": str(uuid.uuid4())},
                     "spec": {"group": "intel.com", "names": {"plural": plural, "kind": kind}}}
            self.establish(value)
            collection = (CRD_GROUP, "customresourcedefinitions", "")
            self.store.objects.setdefault(collection, {})[value["metadata"]["name"]] = value

    # ---- what it does itself -------------------------------------------------------------------

    def establish(self, definition: dict) -> None:
        definition["_since"] = time.monotonic() + self.store.crd_delay
        names = definition["spec"]["names"]
        definition["status"] = {"acceptedNames": names, "storedVersions": ["v1"], "conditions": [
            {"type": "Established", "status": "True" if self.store.crd_delay == 0 else "False"}]}
        if self.store.crd_delay:
            timer = threading.Timer(self.store.crd_delay, definition["status"]["conditions"][0].update,
                                    kwargs={"status": "True"})
            timer.daemon = True
            timer.start()

    def authenticate(self, headers: Any, connection: ssl.SSLSocket) -> str:
        token = (headers.get("Authorization") or "").removeprefix("Bearer ")
        if token in self.tokens:
            return self.tokens[token]
        certificate = connection.getpeercert()
        if not token and certificate:
            subject = dict(pair[0] for pair in certificate["subject"])
            return subject["commonName"]
        raise ANSWERS["401"]()

    def authorize(self, user: str, verb: str, target: Target) -> None:
        role = self.roles.get(user, set())
        resource = target.resource.plural + ("/" + target.subresource if target.subresource else "")
        if isinstance(role, Rbac):
            allowed = role.allows(verb, target.resource.group, resource, target.namespace, target.name)
        else:
            allowed = role is None or f"{verb} {resource}" in role
        if allowed:
            return
        raise Refusal(403, f'{target.resource.plural} is forbidden: User "{user}" cannot {verb} '
                           f'resource "{resource}" in API group "{target.resource.group}" at the '
                           "cluster scope", details={"kind": target.resource.plural})

    def find(self, path: str) -> Target:
        match = re.fullmatch(r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)"
                             r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[^/]+)"
                             r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>status|log))?/?", path)
        if match is None:
            raise ANSWERS["404-text"]()
        group = match["group"] or ""
        served = self.store.resources()
        for resource in served:
            if (resource.group, resource.version, resource.plural) == (
                    group, match["version"], match["plural"]):
                return Target(resource, match["namespace"] or "", match["name"] or "",
                              match["sub"] or "")
        if any(each.group == group for each in served):
            raise ANSWERS["404"]()
        raise ANSWERS["404-text"]()

    def check(self, target: Target, value: dict) -> None:
        resource = target.resource
        if resource.schema:
            self.schema.check(resource.schema, {k: v for k, v in value.items() if k[0] != "_"})
        elif resource.kind != value.get("kind") and resource.group == "intel.com":
            raise Refusal(400, f'{value.get("kind")} in version "v1" cannot be handled as a '
                               f"{resource.kind}: strict decoding error")
        if resource.group == "intel.com":
            self.prune(resource, value)
        if resource.kind == "Node":
            self.check_node(value)

    def prune(self, resource: Resource, value: dict) -> None:
        """What a definition of v1 does not name is dropped."""
        definition = self.store.objects[(CRD_GROUP, "customresourcedefinitions", "")].get(
            f"{resource.plural}.{resource.group}", {})
        for version in definition.get("spec", {}).get("versions", []):
            schema = version["schema"]["openAPIV3Schema"]
            self.prune_by({**schema, "properties": {**schema["properties"], "apiVersion": {},
                                                    "kind": {}, "metadata": {
                "x-kubernetes-preserve-unknown-fields": True}}}, value)

    def prune_by(self, schema: dict, value: Any) -> None:
        if not isinstance(value, dict) or schema.get("x-kubernetes-preserve-unknown-fields"):
            return
        for key in list(value):
            if key not in schema.get("properties", {}):
                del value[key]
            else:
                self.prune_by(schema["properties"][key], value[key])

    @staticmethod
    def check_node(value: dict) -> None:
        taints = value.get("spec", {}).get("taints", [])
        if len({(each["key"], each["effect"]) for each in taints}) < len(taints):
            raise Refusal(422, "spec.taints: Duplicate value")
        capacity = value.get("status", {}).get("capacity", {})
        for key, quantity in capacity.items():
            if "/" in key and not re.fullmatch(r"\d+(k|M|Ki|Mi)?", quantity):
                raise Refusal(422, f"status.capacity.{key}: Invalid value: must be an integer")
            capacity[key] = canonical(quantity)

    def discovery(self, path: str) -> str | None:
        path = path.rstrip("/")
        if path == "/version":
            return json.dumps({"major": "1", "minor": str(self.store.minor),
                               "gitVersion": "v" + self.store.version})
        if path in ("/healthz", "/readyz", "/livez"):
            return "ok"
        if path == "/api":
            return json.dumps({"kind": "APIVersions", "versions": ["v1"]})
        groups = sorted({(each.group, each.version) for each in self.store.resources()})
        if path == "/apis":
            entries = [{"name": group, "versions": [
                {"groupVersion": f"{group}/{version}", "version": version}],
                "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version}}
                for group, version in groups if group]
            return json.dumps({"kind": "APIGroupList", "apiVersion": "v1", "groups": entries})
        for group, version in groups:
            if path == (f"/apis/{group}/{version}" if group else f"/api/{version}"):
                return json.dumps({
                    "kind": "APIResourceList", "groupVersion": f"{group}/{version}".lstrip("/"),
                    "resources": [{"name": each.plural, "singularName": each.kind.lower(),
                                   "namespaced": each.namespaced, "kind": each.kind,
                                   "verbs": ["get", "list", "watch", "create", "update", "patch"],
                                   **({"shortNames": ["cmk-nr"]} if each.plural == "cmk-nodereports"
                                      else {})}
                                  for each in self.store.resources() if each.group == group]})
        return None
