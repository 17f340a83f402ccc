# SPDX-License-Identifier: Apache-2.0
"""The publisher as it runs for long: what it hears, what it writes, what it survives."""

import http.client
import json
import os
import socket
import time

from certificates import Certificates
from kube_case import REPORTS, RESOURCE, KubeCase

QUICK = 6.0  # seconds from a change to the Node, where nothing was written just before


class Daemon(KubeCase):
    def setUp(self) -> None:
        super().setUp()
        self.server.define_reports()

    def published(self) -> object:
        daemon = self.daemon()
        self.eventually(self.is_published, "published")
        self.eventually(lambda: self.server.object(REPORTS + "node1"), "reported")
        return daemon

    def patches(self, path: str = "/status") -> list[dict]:
        return [each for each in self.server.requests
                if each["method"] == "PATCH" and each["path"].endswith(path)]

    def zero(self) -> None:
        """As kubelets up to 1.2x do at registration."""
        self.server.change_node("node1",
                                lambda node: node["status"]["capacity"].update({RESOURCE: "0"}))

    def test_it_starts_with_five_requests_and_a_watch_and_then_is_quiet(self) -> None:
        self.published()
        self.eventually(lambda: len(self.server.writes()) == 5, "node three times, two reports")
        time.sleep(1)
        begin = len(self.server.requests)
        time.sleep(5)
        self.assertEqual(self.server.requests[begin:], [], "no polling")
        calls = len(self.agent.calls)
        time.sleep(2)
        self.assertEqual(len(self.agent.calls), calls, "nor of the agent")

    def test_a_pool_change_reaches_the_node_at_once_when_all_was_quiet(self) -> None:
        self.published()
        time.sleep(10.5)
        begin = time.monotonic()
        self.agent.resize(6)
        self.eventually(lambda: self.is_published(6), "six cores", QUICK)
        print(f"[{(time.monotonic() - begin) * 1000:.0f} ms from pool change to Node] ", end="")
        self.eventually(lambda: self.server.object(REPORTS + "node1")["status"]["coresTotal"] == 6)

    def test_changes_are_coalesced_to_one_in_ten_seconds(self) -> None:
        self.published()
        writes = len(self.patches())
        begin = time.monotonic()
        for cores in (5, 6, 7, 8, 7, 6, 9):
            self.agent.resize(cores)
            time.sleep(0.3)
        self.eventually(lambda: self.is_published(9), "the last one", 15)
        self.assertLessEqual(len(self.patches()) - writes, 1)
        self.assertGreater(time.monotonic() - begin, 5)

    def test_zeroing_by_kubelet_is_repaired_at_once(self) -> None:
        self.published()
        self.zero()
        self.eventually(self.is_published, "repaired", QUICK)
        self.server.change_node("node1", lambda node: (
            node["status"]["capacity"].pop(RESOURCE), node["metadata"]["labels"].clear(),
            node["spec"].update(taints=[])))
        self.eventually(self.is_published, "repaired again", QUICK)

    def test_zeroing_is_repaired_while_the_agent_is_away(self) -> None:
        daemon = self.published()
        self.agent.stop()
        self.eventually(lambda: "cannot reach the agent" in daemon.said(), "it says so")
        self.assertTrue(self.is_published(), "the last value stays")
        self.zero()
        self.eventually(self.is_published, "repaired", QUICK)

    def test_without_an_agent_nothing_is_claimed(self) -> None:
        self.agent.stop()
        daemon = self.daemon()
        self.eventually(lambda: "cannot reach the agent" in daemon.said(), "it says so")
        time.sleep(1)
        self.assertEqual(self.server.writes(), [])
        self.agent.start()
        self.eventually(self.is_published, "published when the agent is there")
        self.eventually(lambda: "agent: in order again" in daemon.said())

    def test_a_node_that_is_made_anew_is_published_again(self) -> None:
        self.published()
        old = self.server.node("node1")["metadata"]["uid"]
        self.server.remove_node("node1")
        self.assertIsNone(self.server.object(REPORTS + "node1"), "its reports go with it")
        time.sleep(0.5)
        self.server.add_node("node1")
        self.eventually(self.is_published, "published", QUICK)
        self.eventually(lambda: (self.server.object(REPORTS + "node1") or {}).get(
            "metadata", {}).get("ownerReferences", [{}])[0].get("uid") not in (None, old), "", 15)

    def test_a_node_that_is_not_there_yet_is_waited_for(self) -> None:
        self.server.remove_node("node1")
        daemon = self.daemon()
        self.eventually(lambda: 'nodes "node1" not found' in daemon.said(), "it says so")
        self.server.add_node("node1")
        self.eventually(self.is_published, "published", 30)

    def test_two_publishers_of_one_node_do_not_fight(self) -> None:
        self.daemon()
        self.published()
        time.sleep(2)
        begin = len(self.server.requests)
        self.agent.resize(5)
        self.eventually(lambda: self.is_published(5), "published", 15)
        time.sleep(3)
        self.assertLess(len(self.server.writes(begin)), 12)

    def test_every_end_of_a_watch_is_survived(self) -> None:
        self.published()
        for how in ("watch-410", "watch-cut", "watch-garbage", "410", "500", "429-text", "403"):
            with self.subTest(how):
                self.server.fail(how, method="WATCH")
                seen = len(self.server.requests)
                self.server.drop_connections()
                self.eventually(lambda: any("watch" in each["query"] and each["status"] == 200
                                            for each in self.server.requests[seen + 1:]), how)
                self.zero()
                # The sixth repair within a minute waits as any write, and so does its second try.
                self.eventually(self.is_published, how, 40)
                time.sleep(0.2)

    if os.environ.get("CMK_TEST_FULL"):  # it takes four minutes

        def test_a_silent_watch_counts_as_dead_after_three_minutes(self) -> None:
            self.published()
            self.server.fail("watch-silent", method="WATCH")
            self.server.drop_connections()
            self.eventually(lambda: not self.server.faults, "the silent watch has begun")
            self.zero()
            begin = time.monotonic()
            self.eventually(self.is_published, "by the next watch", 240)
            self.assertGreater(time.monotonic() - begin, 100)

    def test_a_slow_server_is_waited_for(self) -> None:
        self.published()
        self.server.fail("slow-3", method="PATCH", path="/status")
        self.zero()
        self.eventually(self.is_published, "repaired", 10)

    def test_bookmarks_keep_a_quiet_watch(self) -> None:
        self.server.bookmark_every = 0.2
        daemon = self.published()
        time.sleep(2)
        self.assertEqual(sum("watch" in each["query"] for each in self.server.requests), 1)
        self.assertEqual(daemon.said(), "")

    def test_an_outage_of_the_server_is_caught_up_with(self) -> None:
        daemon = self.published()
        self.server.fail("503", method="PATCH", times=3)
        self.server.fail("503", method="PUT", times=2)
        time.sleep(0.5)
        self.agent.resize(7)
        self.eventually(lambda: self.is_published(7), "caught up", 40)
        self.assertIn("503", daemon.said())

    def test_every_failure_of_a_write_passes(self) -> None:
        daemon = self.published()
        cores = 4
        for how in ("409", "429-status", "500", "504-bare", "cut", "garbage"):
            with self.subTest(how):
                cores = 11 - cores
                self.server.fail(how, method="PATCH", path="/status")
                self.zero()
                # The sixth repair within a minute waits as any write, and so does its second try.
                self.eventually(self.is_published, how, 40)
        self.assertIsNone(daemon.process.poll())

    def test_definitions_may_come_later(self) -> None:
        self.server.store.objects.pop(("apiextensions.k8s.io", "customresourcedefinitions", ""))
        daemon = self.daemon()
        self.eventually(self.is_published, "the Node does not wait for them")
        self.eventually(lambda: "kubectl apply -f cmk-crds.yaml" in daemon.said())
        self.server.define_reports()
        self.eventually(lambda: self.server.object(REPORTS + "node1"), "reported", 30)
        self.assertFalse(any("customresourcedefinitions" in each["path"]
                             for each in self.server.requests), "the daemon never makes them")

    def test_kubelets_credential_goes_on_without_the_taint(self) -> None:
        self.server.fail("taint", method="PATCH", path="nodes/node1$", body="taints", times=100)
        daemon = self.daemon()
        self.eventually(lambda: self.capacity() == "4", "the resource is there")
        self.eventually(lambda: "register-with-taints" in daemon.said())
        time.sleep(2)
        tries = [each for each in self.patches("nodes/node1") if "taints" in each["body"]]
        self.assertEqual(len(tries), 1, "it is not tried again and again")

    def test_a_token_that_is_replaced_is_taken_up(self) -> None:
        token = self.directory / "token"
        token.write_text("first\n")
        self.server.tokens["first"] = "admin"
        kubeconfig = self.server.kubeconfig("file", {"tokenFile": str(token)})
        self.daemon(kubeconfig=kubeconfig)
        self.eventually(self.is_published, "published")
        token.write_text("second\n")
        self.server.tokens = {"second": "admin"}
        self.zero()
        self.eventually(self.is_published, "repaired with the new token", QUICK)

    def test_a_ca_that_is_replaced_is_taken_up(self) -> None:
        directory = self.directory / "new"
        directory.mkdir()
        trusted = self.directory / "trusted.crt"
        trusted.write_text(self.server.certificates.ca.read_text())
        self.daemon(kubeconfig=self.server.kubeconfig("ca", **{"certificate-authority": str(trusted)}))
        self.eventually(self.is_published, "published")
        fresh = Certificates(directory, "new-ca")
        trusted.write_text(fresh.ca.read_text())
        self.server.use(fresh, "IP:127.0.0.1")
        self.server.drop_connections()
        self.zero()
        self.eventually(self.is_published, "repaired over a new connection", 30)

    def test_an_expired_token_is_said_and_renewed(self) -> None:
        token = self.directory / "token"
        token.write_text("expired")
        daemon = self.daemon(kubeconfig=self.server.kubeconfig("file", {"tokenFile": str(token)}))
        self.eventually(lambda: "renew the token" in daemon.said())
        token.write_text("admin-token")
        self.eventually(self.is_published, "published", 30)

    def test_it_ends_at_once_when_told_to(self) -> None:
        daemon = self.published()
        begin = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - begin, 2)
        self.assertTrue(self.is_published(), "what was published stays")

    def test_it_needs_little_memory(self) -> None:
        daemon = self.published()
        for cores in range(5, 9):
            self.agent.resize(cores)
            self.zero()
            time.sleep(1)
        print(f"[RSS {daemon.rss_kib()} KiB] ", end="")
        self.assertLess(daemon.rss_kib(), 16 * 1024)


class Listen(KubeCase):
    def get(self, address: str, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("localhost", timeout=5)
        if address.startswith("unix:"):
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(address[5:])
        else:
            host, _, port = address.rpartition(":")
            connection.sock = socket.create_connection((host or "127.0.0.1", int(port)), 5)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def test_metrics_and_health(self) -> None:
        self.server.define_reports()
        address = f"unix:{self.directory}/metrics.sock"
        self.daemon("--listen", address)
        self.eventually(self.is_published, "published")
        self.eventually(lambda: self.get(address, "/readyz")[0] == 200, "ready")
        self.assertEqual(self.get(address, "/healthz"), (200, "ok\n"))
        self.assertEqual(self.get(address, "/other")[0], 404)
        status, text = self.get(address, "/metrics")
        self.assertEqual(status, 200)
        for line in ('cmk_pool_cores{pool="exclusive",kind="exclusive"} 4',
                     'cmk_api_requests_total{method="GET",code="200"}', "cmk_node_writes_total 1",
                     "cmk_drift_repairs_total 0"):
            self.assertIn(line, text)
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? -?[0-9.]+)$')

    def test_it_is_not_ready_before_it_has_published(self) -> None:
        self.agent.stop()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        address = f"127.0.0.1:{port}"
        daemon = self.daemon("--listen", address)
        self.eventually(lambda: "cannot reach the agent" in daemon.said())
        status, text = self.get(address, "/readyz")
        self.assertEqual(status, 503)
        self.assertIn("cannot reach the agent", text)

    def test_a_bad_address_is_refused(self) -> None:
        for address in ("nowhere", "unix:", "1.2.3.4.5:80", "127.0.0.1:http"):
            with self.subTest(address):
                self.assertNotEqual(self.daemon("--listen", address).process.wait(10), 0)

    def test_the_report_is_small_enough(self) -> None:
        self.agent.cpus, self.agent.exclusive = 1024, 512
        self.must("publish", "--once")
        report = self.server.object(REPORTS + "node1")
        self.assertLessEqual(len(json.dumps(report["status"])), 8192)
