#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of cmkctl as it is run: tests/cli/cli_test.py CMKCTL [TEST]...

What it draws is checked with an XML parser, and what it shows on a terminal on one of its own; with
CMK_TEST_FULL a browser shows the drawings. The agent is fake_agent.py. CMK_MAN_PAGES names the directory of the manual pages. The last line is
"N passed, N failed, N skipped".
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios
import time
import unittest
import xml.etree.ElementTree as xml

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fake_agent import FakeAgent, lease  # noqa: E402
from need import need  # noqa: E402
from rendering import Rendering  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
HTML = "{http://www.w3.org/1999/xhtml}"
ENTER = b"\x1b[?1049h\x1b[?25l"
LEAVE = b"\x1b[?25h\x1b[?1049l"
PATIENCE = 20  # seconds


def read_until(test, fd, part, seen=b""):
    """Reads until that has been read; gives all that was read."""
    end = time.monotonic() + PATIENCE
    while part not in seen:
        test.assertLess(time.monotonic(), end, seen)
        if select.select([fd], [], [], 0.1)[0]:
            read = os.read(fd, 65536)
            test.assertNotEqual(read, b"", seen)
            seen += read
    return seen


class WithAgent(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="cmk-cli-")
        self.addCleanup(self.directory.cleanup)
        self.agent = FakeAgent(self.directory.name)
        self.addCleanup(self.agent.close)
        self.environment = os.environ | {"CMK_SOCKET": self.agent.path, "LC_ALL": "C.UTF-8",
                                         "COLUMNS": "80"}

    def run_cmkctl(self, *arguments, status=0):
        done = subprocess.run([CMKCTL, *arguments], env=self.environment, text=True,
                              capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout


class Drawings(WithAgent):
    def test_svg_is_well_formed(self):
        drawing = xml.fromstring(self.run_cmkctl("topology", "--format", "svg"))
        self.assertEqual(drawing.tag, SVG + "svg")
        groups = [group.get("class") for group in drawing.iter(SVG + "g")]
        self.assertEqual(groups.count("socket"), 2)
        self.assertEqual(groups.count("core"), 8)
        titles = [title.text for title in drawing.iter(SVG + "title")]
        owner = [text for text in titles if "aa11bb22" in text and text.startswith("core 0: ")]
        self.assertEqual(len(owner), 1)
        self.assertIn("a<b>&?, pid 42, user root", owner[0])
        numbers = {text.text for text in drawing.iter(SVG + "text")}
        self.assertLessEqual({str(cpu) for cpu in range(16)} | {"a", "E", "S", "."}, numbers)

    def test_html_is_well_formed(self):
        page = xml.fromstring(self.run_cmkctl("topology", "--format=html"))
        self.assertEqual(page.tag, HTML + "html")
        self.assertEqual(len(list(page.iter(SVG + "svg"))), 1)
        cells = [cell.text for cell in page.iter(HTML + "td")]
        for expected in ("aa11bb22", "a<b>&?", "exclusive", "0-3,8-11"):
            self.assertIn(expected, cells)
        self.assertEqual([each for each in page.iter() if each.get("src") or each.get("href")], [])

    def test_machines_of_every_shape(self):
        for shape in ("pu:1", "core:64 pu:2", "pack:8 [numa] l3:4 core:16 pu:2",
                      "pack:2 numa:4 l3:2 core:3 pu:8"):
            for form in ("svg", "html"):
                xml.fromstring(self.run_cmkctl(
                    "simulate", "--topology", shape, "--pool", "a:shared:rest", "--lease", "a",
                    "--format", form))

    def test_a_drawing_is_no_table(self):
        self.run_cmkctl("topology", "--format", "svg", "-o", "json", status=2)
        self.run_cmkctl("topology", "--format", "png", status=2)

    def test_simulation_needs_no_agent(self):
        self.agent.close()
        out = self.run_cmkctl("simulate", "--topology", "core:4 pu:2", "--num-exclusive-cores",
                              "2", "--isolcpus", "domain,0-5", "--lease", "exclusive:2",
                              "--lease", "exclusive", "-o", "json", status=3)
        found = json.loads(out)
        self.assertEqual([each["cpus"] for each in found["leases"]], ["0-3"])
        self.assertEqual(len(found["refusals"]), 1)
        self.assertEqual(self.agent.asked, [])


if os.environ.get("CMK_TEST_FULL"):  # a browser takes its time
    class Rendered(Rendering, WithAgent):
        pass


class Explanations(WithAgent):
    def test_only_asks(self):
        out = json.loads(self.run_cmkctl("explain", "--pool", "exclusive", "--cores", "2",
                                         "-o", "json"))
        self.assertEqual((out["granted"], out["cpus"]), (True, "1-2,9-10"))
        self.assertEqual(sorted(self.agent.asked), ["GetTopology", "ListLeases", "ListPools"])

    def test_exit_status_is_the_refusals(self):
        out = self.run_cmkctl("explain", "--pool", "exclusive", "--cores", "4", status=3)
        self.assertIn("instead: 3 cores: CPUs 1-3,9-11.", out)
        self.run_cmkctl("explain", "--pool", "exclusive", "--package", "1", status=3)
        self.run_cmkctl("explain", "--pool", "none", status=6)
        self.run_cmkctl("explain", status=2)


class Metrics(WithAgent):
    def follow(self, *arguments):
        process = subprocess.Popen([CMKCTL, "metrics", "--follow", "--textfile", self.directory.name,
                                    *arguments], env=self.environment, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def until(self, line):
        end = time.monotonic() + PATIENCE
        page = pathlib.Path(self.directory.name, "cmk.prom")
        while not page.exists() or line not in page.read_text().splitlines():
            self.assertLess(time.monotonic(), end, page.exists() and page.read_text())
            time.sleep(0.02)

    def change(self):
        self.agent.leases.append(lease("cc33dd44", "exclusive", "1,9", 43, "second"))
        for _ in range(50):
            self.agent.tell()

    def test_prints_the_agents_page_and_that_it_is_there(self):
        out = self.run_cmkctl("metrics").splitlines()
        self.assertEqual((out[1], out[-1]), ("leases 1", "cmk_agent_up 1"))

    def test_options_that_need_each_other(self):
        self.run_cmkctl("metrics", "--follow", status=2)
        self.run_cmkctl("metrics", "-o", "json", status=2)
        self.run_cmkctl("metrics", "--textfile", self.directory.name, "--interval", "5", status=2)
        self.assertEqual(self.agent.asked, [])

    def test_an_agent_that_is_away_is_no_page(self):
        self.agent.close()
        os.unlink(self.agent.path)
        self.assertEqual(self.run_cmkctl("metrics", status=5), "")
        self.run_cmkctl("metrics", "--textfile", self.directory.name, status=5)
        self.until("cmk_agent_up 0")

    def test_an_agent_that_refuses_leaves_no_old_page(self):
        self.run_cmkctl("metrics", "--textfile", self.directory.name)
        self.until("leases 1")
        self.agent.refuses = True
        self.run_cmkctl("metrics", "--textfile", self.directory.name, status=4)
        self.until("cmk_agent_up 0")
        self.assertNotIn("leases 1", pathlib.Path(self.directory.name, "cmk.prom").read_text())

    def test_many_events_are_one_page_and_none_is_none(self):
        process = self.follow("--interval", "2")
        self.until("leases 1")
        self.change()
        self.change()
        time.sleep(0.5)
        self.assertEqual(self.agent.asked.count("GetMetrics"), 1, "too often")
        self.until("leases 3")
        time.sleep(2.5)
        self.assertEqual(self.agent.asked.count("GetMetrics"), 2, "it polls")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.until("cmk_agent_up 0")
        self.assertEqual(process.stderr.read(), b"")

    def test_an_agent_that_comes_back_is_heard_again(self):
        self.follow("--interval", "1")
        self.until("leases 1")
        self.agent.close()
        os.unlink(self.agent.path)
        self.until("cmk_agent_up 0")
        again = FakeAgent(self.directory.name)
        self.addCleanup(again.close)
        self.until("cmk_agent_up 1")

    def test_each_time_that_the_agent_is_away_is_told_once(self):
        process = self.follow("--interval", "1")
        for agent in (self.agent, None):
            agent = agent or FakeAgent(self.directory.name)
            self.until("cmk_agent_up 1")
            os.unlink(agent.path)
            agent.close()
            self.until("cmk_agent_up 0")
            time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)
        said = process.stderr.read().decode()
        self.assertEqual(len(said.splitlines()), 2, said)

    def test_a_hung_agent_does_not_keep_it_from_ending(self):
        self.agent.silent = True
        process = self.follow()
        end = time.monotonic() + PATIENCE
        while not self.agent.asked and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.until("cmk_agent_up 0")


class Watching(WithAgent):
    def start(self, **options):
        process = subprocess.Popen([CMKCTL, "status", "--watch"], env=self.environment, **options)
        self.addCleanup(process.wait)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def read_until(self, fd, part, seen=b""):
        return read_until(self, fd, part, seen)

    def change(self):
        self.agent.leases.append(lease("cc33dd44", "exclusive", "1,9", 43, "second"))
        self.agent.tell()

    def test_redraws_on_events_alone(self):
        process = self.start(stdout=subprocess.PIPE)
        out = process.stdout.fileno()
        self.read_until(out, b"cmk-agent 9.9\n")
        asked = len(self.agent.asked)
        time.sleep(0.3)
        self.assertEqual(len(self.agent.asked), asked, "it polls")
        self.change()
        seen = self.read_until(out, b"cmk-agent 9.9\n")
        self.assertIn(b"cc33dd44", seen)
        self.assertNotIn(b"\x1b", seen)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 0)
        process.stdout.close()

    def test_a_burst_is_few_pictures(self):
        process = self.start(stdout=subprocess.PIPE)
        self.read_until(process.stdout.fileno(), b"cmk-agent 9.9\n")
        for _ in range(200):
            self.agent.tell()
        self.change()
        self.read_until(process.stdout.fileno(), b"cc33dd44")
        self.assertLess(self.agent.asked.count("ListLeases"), 150)
        process.kill()
        process.stdout.close()

    def test_data_is_a_stream_on_a_terminal_too(self):
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        process = subprocess.Popen([CMKCTL, "status", "--watch", "-o", "json"], stdout=follower,
                                   env=self.environment | {"TERM": "xterm"})
        os.close(follower)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertNotIn(b"\x1b", self.read_until(leader, b"\n}"))

    def on_terminal(self):
        self.environment["TERM"] = "xterm"
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        process = self.start(stdin=follower, stdout=follower, stderr=follower,
                             start_new_session=True)
        os.close(follower)
        seen = self.read_until(leader, b"cmk-agent 9.9")
        self.assertTrue(seen.startswith(ENTER), seen)
        return process, leader

    def test_gives_the_terminal_back(self):
        for number, status in ((signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)):
            process, leader = self.on_terminal()
            self.change()
            self.read_until(leader, b"cc33dd44")
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), status)
            self.assertTrue(self.read_until(leader, LEAVE).endswith(LEAVE))
            self.agent.leases.pop()

    def test_draws_again_when_the_size_changes(self):
        process, leader = self.on_terminal()
        fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 6, 80, 0, 0))
        process.send_signal(signal.SIGWINCH)
        self.read_until(leader, b" more lines")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_gives_the_terminal_back_while_stopped(self):
        process, leader = self.on_terminal()
        process.send_signal(signal.SIGTSTP)
        self.read_until(leader, LEAVE)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        process.send_signal(signal.SIGCONT)
        self.read_until(leader, b"cmk-agent 9.9", self.read_until(leader, ENTER))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_goes_on_with_the_next_agent(self):
        process = self.start(stdout=subprocess.PIPE)
        out = process.stdout.fileno()
        self.read_until(out, b"cmk-agent 9.9\n")
        self.agent.leases.append(lease("cc33dd44", "exclusive", "1,9", 43, "second"))
        self.agent.restart()
        self.read_until(out, b"cmk-agent 9.9\n", self.read_until(out, b"cc33dd44"))
        self.agent.leases.append(lease("ee55ff66", "exclusive", "2,10", 44, "third"))
        self.agent.tell()
        self.read_until(out, b"ee55ff66")
        process.kill()
        process.stdout.close()

    def test_ends_when_the_agent_goes_away(self):
        process, leader = self.on_terminal()
        self.agent.close()
        self.assertEqual(process.wait(PATIENCE), 5)
        self.assertIn(LEAVE + b"cmkctl: ", self.read_until(leader, LEAVE + b"cmkctl: "))


class Monitoring(WithAgent):
    def start(self):
        process = subprocess.Popen([CMKCTL, "monitor"], env=self.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.wait_for_monitor()
        return process

    def wait_for_monitor(self):
        end = time.monotonic() + PATIENCE
        while not self.agent.monitors:
            self.assertLess(time.monotonic(), end, "nobody watches")
            time.sleep(0.01)

    def test_says_that_the_agent_was_restarted_and_goes_on(self):
        process = self.start()
        self.agent.restart()
        read_until(self, process.stderr.fileno(), b"the agent was restarted")
        self.wait_for_monitor()
        self.agent.tell()
        read_until(self, process.stdout.fileno(), b"pools")

    def test_ends_where_no_agent_is_left(self):
        process = self.start()
        self.agent.close()
        self.assertEqual(process.wait(PATIENCE), 5)
        self.assertIn(self.agent.path.encode(), process.stderr.read())


class Bundles(WithAgent):
    def bundle(self, *arguments):
        path = os.path.join(self.directory.name, "report.tar")
        return path, self.run_cmkctl("bundle", path, *arguments)

    def test_is_a_private_archive_of_what_it_lists(self):
        path, out = self.bundle("-o", "json")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with tarfile.open(path) as archive:
            members = {each.name.removeprefix("cmk-bundle/"): each for each in archive}
            read = lambda name: archive.extractfile(members[name]).read()  # noqa: E731
            self.assertTrue(all(each.isfile() and each.mode == 0o600 for each in members.values()))
            listed = {each["name"] for each in json.loads(out)["items"]}
            self.assertEqual(listed | {"MANIFEST"}, set(members))
            self.assertLessEqual({"status.json", "topology.json", "pools.json", "leases.json",
                                  "verify.json", "version.json", "host-facts.txt",
                                  "proc/cmdline"}, listed)
            self.assertEqual(json.loads(read("leases.json"))["items"][0]["id"], "aa11bb22")
            self.assertEqual(json.loads(read("version.json"))["agent"], "9.9")
            for name in listed:
                self.assertIn("\t" + name + "\n", read("MANIFEST").decode())

    def test_tells_no_secret(self):
        self.environment["CMK_TEST_SECRET"] = "hush-1234"
        path, _ = self.bundle("--socket", self.agent.path)
        content = pathlib.Path(path).read_bytes()
        self.assertNotIn(b"hush-1234", content)
        self.assertNotIn(sys.argv[0].encode() + b"\0", content)

    def test_overwrites_nothing(self):
        path = os.path.join(self.directory.name, "there")
        pathlib.Path(path).write_text("mine")
        self.run_cmkctl("bundle", path, status=1)
        self.assertEqual(pathlib.Path(path).read_text(), "mine")

    def test_works_without_an_agent(self):
        self.agent.close()
        os.unlink(self.agent.path)
        path, out = self.bundle()
        self.assertIn("missing: all that the agent knows: cannot reach the agent", out)
        with tarfile.open(path) as archive:
            self.assertIn("cmk-bundle/proc/version", archive.getnames())


class Completions(WithAgent):
    SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "cli" / "completion"

    def setUp(self):
        super().setUp()
        # The shells look for the program by its name.
        self.environment["PATH"] = os.path.dirname(CMKCTL) + os.pathsep + os.environ["PATH"]

    def in_bash(self, *words):
        """What bash's own function answers for these words, the last being completed."""
        script = """
            compopt() { shopt_files=yes; }
            . "$1"; shift
            COMP_WORDS=(cmkctl "$@") COMP_CWORD=$#
            _cmkctl cmkctl "${*: -1}" "${*: -2:1}"
            printf '%s\\n' "${COMPREPLY[@]}" "files=$shopt_files"
        """
        done = subprocess.run(["bash", "-c", script, "bash", self.SCRIPTS / "cmkctl.bash", *words],
                              env=self.environment, text=True, capture_output=True,
                              timeout=PATIENCE, check=True)
        self.assertEqual(done.stderr, "")
        return [line for line in done.stdout.splitlines() if line not in ("", "files=")]

    def test_bash(self):
        self.assertEqual(self.in_bash("sta"), ["status"])
        self.assertEqual(self.in_bash("isolate", "--pool", ""), ["exclusive", "shared"])
        self.assertEqual(self.in_bash("isolate", "--pool", "=", "ex"), ["exclusive"])
        self.assertEqual(self.in_bash("release", ""), ["aa11bb22"])
        self.assertEqual(self.in_bash("topology", "--format", ""), ["text", "svg", "html"])
        self.assertEqual(self.in_bash("simulate", "--topology", ""), ["files=yes"])
        self.assertIn("true", self.in_bash("isolate", "--", "tru"))

    def test_names_come_from_the_socket_that_is_named(self):
        del self.environment["CMK_SOCKET"]
        out = self.run_cmkctl("complete", "--", "release", "--socket", self.agent.path, "")
        self.assertTrue(out.startswith("aa11bb22\t"), out)
        nowhere = ["--socket", self.directory.name + "/none"]
        for words in (["release", *nowhere, ""], ["isolate", *nowhere, "--pool", ""]):
            self.assertEqual(self.run_cmkctl("complete", "--", *words), "")

    def type_into(self, shell, start):
        """What somebody sees who types into a shell of his own and presses TAB."""
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        process = subprocess.Popen(shell, stdin=follower, stdout=follower, stderr=follower,
                                   start_new_session=True, cwd=self.directory.name,
                                   env=self.environment | {"PS1": "ready> ", "TERM": "dumb",
                                                           "INPUTRC": "/dev/null",
                                                           "HISTFILE": "/dev/null"})
        os.close(follower)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        pathlib.Path(self.directory.name, "my-machine.xml").touch()
        read_until(self, leader, b"ready> ")
        os.write(leader, start.encode() + b"; echo star''ted\n")
        read_until(self, leader, b"ready> ", read_until(self, leader, b"started"))
        for typed, expected in ((b"cmkctl isol\t", b"isolate "),
                                (b"--pool=exc\t", b"exclusive "),
                                (b"--no-\t", b"--no-affinity "),
                                (b"\x15cmkctl simulate --topology my-m\t", b"achine.xml")):
            os.write(leader, typed)
            read_until(self, leader, expected)

    def test_typed_in_bash(self):
        self.type_into(["bash", "--norc", "--noprofile", "-i"], f". {self.SCRIPTS}/cmkctl.bash")

    def test_typed_in_zsh(self):
        need(self, shutil.which("zsh"), "zsh")
        self.type_into(["zsh", "-f", "-i"],
                       f"fpath=({self.SCRIPTS} $fpath); autoload -U compinit; compinit -u -D; "
                       "unset zle_bracketed_paste")

    def test_an_agent_that_is_silent_does_not_hold_the_shell(self):
        self.agent.silent = True
        begin = time.monotonic()
        done = subprocess.run([CMKCTL, "complete", "--", "release", ""], env=self.environment,
                              capture_output=True, timeout=PATIENCE, check=False)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(done.stdout, b"")

    def test_fish(self):
        need(self, shutil.which("fish"), "fish")
        pathlib.Path(self.directory.name, "my-machine.xml").touch()
        for typed, expected in (("isolate --pool ex", "exclusive\texclusive, 4 cores, 3 free"),
                                ("isolate --pool=ex", "--pool=exclusive\t"),
                                ("release ", "aa11bb22\texclusive, CPUs 0,8"),
                                ("isolate -- tru", "true\t"),
                                ("simulate --topology my-m", "my-machine.xml")):
            script = f"source {self.SCRIPTS}/cmkctl.fish; complete -C 'cmkctl {typed}'"
            done = subprocess.run(["fish", "-N", "-c", script], env=self.environment, text=True,
                                  capture_output=True, timeout=PATIENCE, check=True,
                                  cwd=self.directory.name)
            self.assertIn(expected, done.stdout)


class Help(WithAgent):
    def verbs(self):
        lines = self.run_cmkctl("complete", "").splitlines()
        return [line.split("\t")[0] for line in lines if not line.startswith("help\t")]

    def test_has_examples(self):
        for arguments in ([], *([verb] for verb in self.verbs())):
            self.assertIn("\nExamples:\n  ", self.run_cmkctl(*arguments, "--help"))

    def test_every_verb_has_its_page(self):
        need(self, PAGES, "a directory of manual pages in CMK_MAN_PAGES")
        pages = {path.name for path in pathlib.Path(PAGES).glob("cmkctl*.1")}
        self.assertEqual(pages, {"cmkctl.1"} | {f"cmkctl-{verb}.1" for verb in self.verbs()})

    def test_pages_tell_all_that_their_sources_do(self):
        need(self, PAGES, "a directory of manual pages in CMK_MAN_PAGES")
        sources = pathlib.Path(__file__).resolve().parents[2] / "systemd"
        page = pathlib.Path(PAGES, "agent.toml.5").read_text(encoding="utf-8")
        text = (sources / "agent.toml").read_text(encoding="utf-8")
        keys = re.findall(r"^#(\w+) = ", text, re.MULTILINE)
        self.assertGreater(len(keys), 15)
        for key in keys:
            self.assertEqual(page.count(f".B {key} = "), 1, key)
        page = pathlib.Path(PAGES, "org.cmk.Agent1.5").read_text(encoding="utf-8")
        interface = xml.parse(sources / "org.cmk.Agent1.xml").getroot().find("interface")
        members = [each for each in interface if each.tag in ("method", "signal", "property")]
        self.assertGreater(len(members), 10)
        for each in members:
            heading = rf'\.SS "{each.tag.capitalize()} {each.get("name")} ?\('
            self.assertEqual(len(re.findall(heading, page)), 1, heading)
            for argument in each.findall("arg"):
                self.assertIn(f".B {argument.get('name')}\n", page)
        page = pathlib.Path(PAGES, "cmk-agent.8").read_text(encoding="utf-8")
        for option in ("foreground", "config FILE", "state\\-dir DIR", "check\\-config"):
            self.assertIn(f".B \\-\\-{option}\n", page)

        page = pathlib.Path(PAGES, "cmk-k8s.1").read_text(encoding="utf-8")
        for heading in ('.SH "PUBLISH"', '.SH "KUBELET\\-CONFIG"', ".B \\-\\-longest\\-start SECONDS",
                        ".B \\-\\-socket PATH", ".B \\-\\-once"):
            self.assertIn(heading + "\n", page)

    def test_man_has_no_warnings(self):
        need(self, shutil.which("man") and shutil.which("groff"), "man")
        need(self, PAGES, "a directory of manual pages in CMK_MAN_PAGES")
        pages = sorted(pathlib.Path(PAGES).glob("*.[158]"))
        self.assertGreater(len(pages), len(self.verbs()))
        for page in pages:
            done = subprocess.run(["man", "--warnings", "-l", page], text=True,
                                  capture_output=True, timeout=PATIENCE, check=False,
                                  env=self.environment | {"MANWIDTH": "80", "MANPAGER": "cat"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)
            self.assertIn("NAME\n", done.stdout)
            self.assertIn("DESCRIPTION\n", done.stdout)


def main():
    program = unittest.main(argv=sys.argv[:1] + sys.argv[2:], exit=False, verbosity=1,
                            testRunner=unittest.TextTestRunner(stream=sys.stdout))
    result = program.result
    failed = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or result.testsRun == skipped else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: tests/cli/cli_test.py CMKCTL [TEST]...")
    CMKCTL = os.path.abspath(sys.argv[1])
    PAGES = os.environ.get("CMK_MAN_PAGES", "")
    sys.exit(main())
