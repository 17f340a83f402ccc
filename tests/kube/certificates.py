# SPDX-License-Identifier: Apache-2.0
"""Certificates of an authority of the tests' own."""

import pathlib
import subprocess


class Certificates:
    """A CA, a server certificate for 127.0.0.1 and localhost, and client certificates."""

    def __init__(self, directory: pathlib.Path, name: str = "ca") -> None:
        self.directory = directory
        self.ca = directory / f"{name}.crt"
        self.ca_key = directory / f"{name}.key"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-keyout", self.ca_key, "-out", self.ca, "-days", "2",
                     "-subj", f"/CN={name}")

    def openssl(self, *arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def issue(self, name: str, subject: str, names: str = "") -> tuple[pathlib.Path, pathlib.Path]:
        certificate = self.directory / f"{name}.crt"
        key = self.directory / f"{name}.key"
        request = self.directory / f"{name}.csr"
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n" if names else "basicConstraints=CA:FALSE\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-keyout", key, "-out", request, "-subj", subject)
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key,
                     "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", certificate)
        return certificate, key


    def server(self) -> tuple[pathlib.Path, pathlib.Path]:
        """The usual server's, made once."""
        if not (self.directory / "server.crt").exists():
            self.issue("server", "/CN=kube-apiserver", "IP:127.0.0.1,DNS:localhost")
        return self.directory / "server.crt", self.directory / "server.key"
