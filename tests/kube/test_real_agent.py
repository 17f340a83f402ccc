# SPDX-License-Identifier: Apache-2.0
"""cmk-k8s between a real agent, with this machine's cpusets, and the test server."""

import os
import pathlib
import signal
import subprocess
import time

from kube_case import BUILD, REPORTS, KubeCase


def cpuset_mount() -> pathlib.Path | None:
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, point, kind, options = line.split()[:4]
        if kind == "cgroup" and "cpuset" in options.split(","):
            return pathlib.Path(point)
    return None


class RealAgent(KubeCase):
    def setUp(self) -> None:
        super().setUp()
        self.require("root", os.geteuid() == 0)
        self.mount = cpuset_mount()
        self.require("cpuset1", self.mount is not None)
        self.agent.stop()
        self.group = f"cmk-test-{os.getpid()}-kube"
        config = self.directory / "agent.toml"
        config.write_text(f'[cgroup]\nname = "{self.group}"\n')
        self.processes: list[subprocess.Popen] = []
        self.addCleanup(self.clean_up)
        self.real = self.start_agent(config)
        self.ctl("init", "--yes", "--num-exclusive-cores", "1", "--num-shared-cores", "0")
        self.server.define_reports()

    def require(self, feature: str, there: bool) -> None:
        if there:
            return
        if feature in os.environ.get("CMK_TEST_REQUIRE", "").split(","):
            self.fail(f"this machine lacks {feature}, which CMK_TEST_REQUIRE names")
        self.skipTest(f"this machine lacks {feature}")

    def start_agent(self, config: pathlib.Path) -> subprocess.Popen:
        reader, writer = os.pipe()
        process = subprocess.Popen(
            [BUILD / "agent" / "cmk-agent", "--foreground", "--config", config, "--state-dir",
             self.directory / "state", "--socket", self.agent.path, "--bus", "none", "--ready-fd",
             str(writer)], pass_fds=[writer], stderr=subprocess.DEVNULL)
        self.processes.append(process)
        os.close(writer)
        with os.fdopen(reader, "rb") as ready:
            self.assertTrue(ready.read(1), "the agent did not start")
        return process

    def ctl_line(self, *arguments: str) -> list[str]:
        return [str(BUILD / "cli" / "cmkctl"), *arguments[:1], "--socket", str(self.agent.path),
                *arguments[1:]]

    def ctl(self, *arguments: str) -> None:
        done = subprocess.run(self.ctl_line(*arguments), capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)

    def clean_up(self) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait(10)
        top = self.mount / self.group if self.mount else None
        if top is None or not top.exists():
            return
        for path in [*sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True), top]:
            for _ in range(100):
                try:
                    path.rmdir()
                    break
                except OSError:
                    time.sleep(0.02)

    def test_leases_and_restarts_of_the_agent_are_followed(self) -> None:
        self.daemon()
        self.eventually(lambda: self.is_published(1), "one exclusive core")
        holder = subprocess.Popen(self.ctl_line("isolate", "--pool", "exclusive", "sleep", "600"),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(holder)
        self.eventually(lambda: self.is_published(0), "its only core is a host program's", 15)
        self.eventually(lambda: self.server.object(REPORTS + "node1")["status"]["coresFree"] == 0)
        config = self.directory / "agent.toml"
        self.real.send_signal(signal.SIGTERM)
        self.real.wait(10)
        time.sleep(1)
        self.assertTrue(self.is_published(0), "the last value stays")
        self.processes.remove(self.real)
        self.start_agent(config)
        holder.send_signal(signal.SIGKILL)
        self.eventually(lambda: self.is_published(1), "it is free again", 30)

    def test_publish_once(self) -> None:
        self.must("publish", "--once")
        self.assertTrue(self.is_published(1))
        report = self.server.object(REPORTS + "node1")["spec"]["report"]
        self.assertIn("exclusive", report["description"]["pools"])
        self.must("reconcile", "--publish")
