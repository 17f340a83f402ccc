# SPDX-License-Identifier: Apache-2.0
"""The operator manual: its commands for the cluster in their order, and whether what it names is
there. Its commands for a node are run by tests/system/guest/manual.py."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import operator_manual as manual
from certificates import Certificates
from kube_case import BUILD
from need import need
from whole_cluster import WholeCluster

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
DOCS = SOURCE / "docs"
MANIFESTS = SOURCE / "k8s" / "manifests"
TEXT = (DOCS / "operator-manual.md").read_text()
BLOCKS = list(manual.blocks(TEXT))
LANGUAGES = ("console", "yaml", "text")
PATIENCE = 90.0

# Drawings are made by `cmkctl simulate`: exclusive and shared cores of two sockets with four each.
MACHINE = "pack:2 [numa] l3:1 core:4 pu:2"
DRAWINGS = {"packed": ("3:packed", "3:packed"), "spread": ("4:spread", "2:spread"),
            "mixed": ("4:spread", "2:packed")}


def drawing_command(exclusive: str, shared: str) -> list[str]:
    return [str(BUILD / "cli" / "cmkctl"), "simulate", "--topology", MACHINE, "--format", "svg",
            "--pool", f"exclusive:exclusive:{exclusive}", "--pool", f"shared:shared:{shared}",
            "--pool", "infra:shared:rest"]


def has_option(text: str, option: str) -> bool:
    return re.search(rf"{re.escape(option)}(?![\w-])", text) is not None


class Text(unittest.TestCase):
    """Nothing is run; the manual has to be right about names."""

    def test_every_block_has_a_place(self) -> None:
        for block in BLOCKS:
            with self.subTest(line=block.line):
                self.assertIn(block.language, LANGUAGES)
                if block.language == "console":
                    self.assertIn(block.place, manual.PROMPTS)
                    self.assertTrue(manual.steps(block))
                elif block.language == "yaml":
                    self.assertTrue(block.words, "which file is it of?")

    def test_what_is_cut_from_a_manifest_stands_there(self) -> None:
        cut = [block for block in BLOCKS if block.words[:2] == ("cut", "from")]
        self.assertTrue(cut)
        for block in cut:
            with self.subTest(line=block.line):
                self.assertIn(block.text, (MANIFESTS / block.words[2]).read_text())

    def test_files_that_it_names_are_there(self) -> None:
        own = {block.place for block in BLOCKS if block.language == "yaml"}
        for name in set(re.findall(r"\b[\w-]+\.yaml\b", TEXT)) - own:
            if name.startswith("cmk-"):
                self.assertTrue(list((SOURCE / "k8s").glob(f"*/**/{name}")), name)
        for path in re.findall(r"\]\(([^)#:]+)", TEXT):
            self.assertTrue((DOCS / path).exists(), path)
        for path in re.findall(r"\b(?:k8s|packaging|docs)/[\w./-]+\w", TEXT):
            self.assertTrue((SOURCE / path).exists(), path)

    def test_its_links_to_chapters_lead_somewhere(self) -> None:
        for file, anchor in re.findall(r"\]\(([\w.-]*)#([^)]+)\)", TEXT):
            text = (DOCS / file).read_text() if file else TEXT
            heads = [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-")
                     for head in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
            self.assertIn(anchor, heads, file)

    def test_the_image_is_this_versions(self) -> None:
        version = re.search(r"version: '([^']+)'", (SOURCE / "meson.build").read_text())[1]
        self.assertEqual(set(re.findall(r"\bcmk:v([\w.]+\w)", TEXT)), {version})

    def test_options_that_it_names_are_there(self) -> None:
        pattern = r"\b(cmkctl|cmk-k8s|cmk-agent|cmk)(?:\.py)? ([a-z_-]+)([^`|\n]*)"
        named = 0
        for program, verb, rest in re.findall(pattern, TEXT.replace("\\\n", " ")):
            if program == "cmk-agent" and not verb.startswith("--"):
                continue  # the unit's name
            words = [verb, *rest.split(" -- ")[0].split()]
            for option in (each.split("=")[0] for each in words if each.startswith("--")):
                named += 1
                self.assertTrue(has_option(self.help_of(program, verb), option),
                                f"{program} {verb} {option}")
        self.assertGreater(named, 20)

    def test_options_without_their_program_are_some_programs(self) -> None:
        helps = "".join(self.help_of(*each) for each in (
            ("cmk", ""), ("cmk-k8s", "cluster-init"), ("cmk-k8s", "webhook-certs")))
        for option in re.findall(r"`(--[a-z-]+)", TEXT):
            self.assertTrue(has_option(helps, option), option)

    def help_of(self, program: str, verb: str) -> str:
        with tempfile.TemporaryDirectory(prefix="cmk-manual-") as directory:
            path = pathlib.Path(directory, program)
            where = {"cmk-k8s": "k8s/cmk-k8s", "cmk-agent": "agent/cmk-agent"}
            path.symlink_to(BUILD / where.get(program, "cli/cmkctl"))
            words = ["--help"] if program in ("cmk", "cmk-agent") else [verb, "--help"]
            return subprocess.run([path, *words], capture_output=True, text=True).stdout

    def test_drawings_are_as_the_program_draws(self) -> None:
        for name, pools in DRAWINGS.items():
            path = DOCS / "drawings" / f"sockets-{name}.svg"
            self.assertIn(f"(drawings/{path.name})", TEXT)
            command = drawing_command(*pools)
            drawn = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            self.assertTrue(path.read_text() == drawn,
                            f"draw it anew: {shlex.join(command)} > {path}")


class Commands(unittest.TestCase):
    """From the first line to the last, on a cluster of two nodes without agents."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="cmk-manual-")
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        self.work = self.directory / "work"
        self.work.mkdir()
        self.package = self.directory / "package"  # its part of /usr/share
        for name in ("manifests", "kustomize"):
            shutil.copytree(SOURCE / "k8s" / name, self.package / name)
        self.cluster = WholeCluster(self.directory, "1.36.2", Certificates(self.directory))
        self.addCleanup(self.cluster.stop)
        for name in ("node1", "node2"):
            self.cluster.join(name)

    def environment(self) -> dict[str, str]:
        programs = self.directory / "programs"
        programs.mkdir()
        (programs / "cmk-k8s").symlink_to(BUILD / "k8s" / "cmk-k8s")
        return {"PATH": f'{programs}:{os.environ["PATH"]}', "HOME": str(self.directory),
                "KUBECONFIG": str(self.cluster.kubeconfig())}

    def test_commands_for_the_cluster(self) -> None:
        need(self, shutil.which("kubectl"), "kubectl")
        need(self, os.geteuid() == 0, "root, to give containers a root of their own")
        shell = manual.Shell(self.work, self.environment())
        self.addCleanup(shell.close)
        for block in BLOCKS:
            if block.language == "yaml" and block.place.endswith(".yaml"):
                (self.work / "cmk-k8s/manifests" / block.place).write_text(block.text)
            if block.place != "cluster" or block.language != "console":
                continue
            for step in manual.steps(block):
                command = step.command.replace("/usr/share/cmk-k8s", str(self.package))
                problem = manual.problem_with(step._replace(command=command), shell, PATIENCE)
                self.assertFalse(problem, f"docs/operator-manual.md, {problem}{self.story()}")

    def story(self) -> str:
        logs = "".join(f"-- {path.parent.name} of {path.parent.parent.name}\n{path.read_text()}"
                       for path in sorted(self.directory.glob("pods/*/*/log")))
        return logs + "\n".join(f'{each["method"]} {each["path"]} {each["status"]}'
                                for each in self.cluster.requests[-20:])
