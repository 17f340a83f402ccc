# SPDX-License-Identifier: Apache-2.0
"""The files of a container image, gathered without touching the machine's owners and times."""

import io
import tarfile
from pathlib import Path


class Rootfs:
    """A file tree in memory. Everything in it belongs to root."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}

    def add_directory(self, path: str, mode: int = 0o755) -> None:
        self._add(path, tarfile.DIRTYPE, mode)

    def add_file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        self._add(path, tarfile.REGTYPE, mode, content)

    def add_program(self, path: str, source: Path) -> None:
        self.add_file(path, source.read_bytes(), 0o755)

    def add_link(self, path: str, target: str) -> None:
        self._add(path, tarfile.SYMTYPE, 0o777)
        self.entries[path][0].linkname = target

    def _add(self, path: str, kind: bytes, mode: int, content: bytes = b"") -> None:
        parent = path.rpartition("/")[0]
        if parent and parent not in self.entries:
            self.add_directory(parent)
        entry = tarfile.TarInfo(path)
        entry.type, entry.mode, entry.size = kind, mode, len(content)
        entry.uname = entry.gname = "root"
        self.entries[path] = (entry, content)

    def as_tar(self, time: int) -> bytes:
        """The same bytes for the same files, whoever made them and when."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for path in sorted(self.entries):
                entry, content = self.entries[path]
                entry.mtime = time
                archive.addfile(entry, io.BytesIO(content))
        return buffer.getvalue()
