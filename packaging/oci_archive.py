# SPDX-License-Identifier: Apache-2.0
"""A container image as one tar archive: an OCI image layout that docker's readers take as well.

`index.json` is what containerd and podman read, `manifest.json` what `docker load` does; both name
the same blobs.
"""

import gzip
import hashlib
import io
import json
import tarfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
INDEX = "application/vnd.oci.image.index.v1+json"


class Layer(NamedTuple):
    content: bytes  # a tar archive
    comment: str


class Image(NamedTuple):
    name: str  # "cmk:v1.0"
    architecture: str  # as Go names it
    time: int  # of the image and of all of its files; seconds
    config: dict[str, Any]  # Env, Cmd, Labels, ...
    layers: list[Layer]

    def config_file(self) -> bytes:
        created = datetime.fromtimestamp(self.time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return as_json({
            "created": created,
            "architecture": self.architecture,
            "os": "linux",
            "config": self.config,
            "rootfs": {
                "type": "layers",
                "diff_ids": [digest_of(layer.content) for layer in self.layers],
            },
            "history": [
                {"created": created, "created_by": "packaging/build-image", "comment": each.comment}
                for each in self.layers
            ],
        })  # fmt: skip

    def full_name(self) -> str:
        """What kubelet and docker take the name for."""
        return f"docker.io/library/{self.name}"


def as_json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Blobs:
    """What goes below blobs/, by digest."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def add(self, media_type: str, content: bytes) -> dict[str, Any]:
        """Returns the descriptor that others name it by."""
        digest = digest_of(content)
        self.contents[path_of(digest)] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content)}


def path_of(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def files_of(image: Image) -> dict[str, bytes]:
    """The archive's files."""
    blobs = Blobs()
    config = blobs.add(CONFIG, image.config_file())
    layers = [blobs.add(LAYER, gzip.compress(each.content, mtime=0)) for each in image.layers]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    entry = blobs.add(MANIFEST, as_json(manifest))
    entry["platform"] = {"architecture": image.architecture, "os": "linux"}
    entry["annotations"] = {
        "io.containerd.image.name": image.full_name(),
        "org.opencontainers.image.ref.name": image.name.partition(":")[2],
    }
    docker = {
        "Config": path_of(config["digest"]),
        "RepoTags": [image.name],
        "Layers": [path_of(each["digest"]) for each in layers],
    }
    return blobs.contents | {
        "index.json": as_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}),
        "manifest.json": as_json([docker]),
        "oci-layout": as_json({"imageLayoutVersion": "1.0.0"}),
    }


def write_archive(image: Image, path: Path) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files_of(image).items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), image.time, 0o644
            archive.addfile(entry, io.BytesIO(content))
