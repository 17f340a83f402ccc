# SPDX-License-Identifier: Apache-2.0
"""The operator manual as its tests read it: fenced blocks, the commands in them, a shell that runs
them one by one.

The first word after a block's language says where its commands run:

    ```console node             "# " before a command: as root on a node
    ```console cluster          "$ " before it: where kubectl and cmk-k8s reach the API server
    ```console cluster fails    every command in it has to fail
    ```yaml FILE                what the reader saves as FILE
    ```yaml cut from FILE       lines that stand in a file of k8s/manifests
    ```yaml example, ```text    to look at

Lines below a command are its output, in which "..." stands for anything; without such lines the
output does not matter. A command goes on after a line that ends with a backslash or a pipe.
"""

import re
import select
import subprocess
import time
from pathlib import Path
from typing import Iterator, NamedTuple

PROMPTS = {"node": "# ", "cluster": "$ ", "source": "$ "}
FENCE = re.compile(r"^( *)```(.*)\n((?:.*\n)*?)^\1```$", re.MULTILINE)


class Block(NamedTuple):
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        return self.words[0] if self.words else ""

    @property
    def fails(self) -> bool:
        return "fails" in self.words


class Step(NamedTuple):
    line: int
    command: str
    expected: str  # "": whatever
    fails: bool


def blocks(text: str) -> Iterator[Block]:
    for match in FENCE.finditer(text):
        language, *words = match[2].split() or [""]
        line = text.count("\n", 0, match.start()) + 1
        yield Block(line, language, tuple(words), re.sub(f"(?m)^{match[1]}", "", match[3]))


def steps(block: Block) -> list[Step]:
    """The commands of a console block. Raises ValueError for one that begins with output."""
    prompt = PROMPTS[block.place]
    found: list[Step] = []
    goes_on = False
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if goes_on or line.startswith(prompt):
            if goes_on:
                found[-1] = found[-1]._replace(command=found[-1].command + "\n" + line)
            else:
                found.append(Step(number, line.removeprefix(prompt), "", block.fails))
            goes_on = line.endswith(("\\", "|"))
        elif found:
            found[-1] = found[-1]._replace(expected=found[-1].expected + line + "\n")
        else:
            raise ValueError(f"line {number}: no command before this output; it begins {prompt!r}")
    return found


def matches(expected: str, found: str) -> bool:
    parts = [re.escape(part.strip("\n")) for part in expected.rstrip().split("...")]
    text = "\n".join(line.rstrip() for line in found.rstrip().splitlines())
    return re.fullmatch(r"\s*.*".join(parts), text, re.DOTALL) is not None


class Shell:
    """One bash for all commands of a place, so that directories, variables and jobs stay."""

    END = "--the-command-has-ended--"

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=directory, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip

    def run(self, command: str, seconds: float) -> tuple[int, str]:
        """Exit status and output. Raises TimeoutError, with the output so far."""
        assert self.process.stdin and self.process.stdout
        line = f"{{ {command}\n}} </dev/null\nprintf '\\n%s %s\\n' {self.END} $?\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        end, output = time.monotonic() + seconds, b""
        while True:
            left = max(0.0, end - time.monotonic())
            if not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError(output.decode(errors="replace"))
            part = self.process.stdout.read1(65536)
            output += part
            text = output.decode(errors="replace")
            match = re.search(rf"\n{self.END} (\d+)\n", text)
            if match:
                return int(match[1]), text[: match.start()]
            if not part:
                raise TimeoutError(f"the shell ended: {text}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


def problem_with(step: Step, shell: Shell, seconds: float) -> str:
    """Runs it; what is wrong with what came of it, or ""."""
    try:
        code, output = shell.run(step.command, seconds)
    except TimeoutError as reason:
        return f"line {step.line}: {step.command}\nnot done after {seconds:.0f} s: {reason}"
    wrong = ""
    if (code != 0) != step.fails:
        wrong = f"exit status {code}"
    elif step.expected and not matches(step.expected, output):
        wrong = f"the manual shows:\n{step.expected}"
    return f"line {step.line}: {step.command}\n{wrong}\nit printed:\n{output}" if wrong else ""
