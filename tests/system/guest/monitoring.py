# SPDX-License-Identifier: Apache-2.0
"""What an operator's tools find: metrics for node-exporter, and explained journal entries."""

from pathlib import Path

from cmk import Held, cmkctl, lease_is_gone, serve
from machine import check, eventually, has, is_active, main_pid, must, read, run

PLACE = Path("/var/lib/prometheus/node-exporter")
PAGE = PLACE / "cmk.prom"
WRITER = "cmk-metrics.service"


def page_says(line: str) -> bool:
    return PAGE.exists() and line in read(PAGE).splitlines()


def test_metrics_are_written_while_the_agent_runs() -> None:
    serve()
    PLACE.mkdir(parents=True, exist_ok=True)
    must("systemctl", "enable", "--now", WRITER)
    eventually(lambda: page_says("cmk_agent_up 1"), "the page is written")
    held = Held()
    leases = 'cmk_pool_leases{pool="exclusive",kind="exclusive"} 1'
    eventually(lambda: page_says(leases), "the page tells of the lease")
    held.end()
    pid = main_pid("cmk-agent.service")
    must("systemctl", "restart", "cmk-agent.service")
    eventually(lambda: page_says("cmk_agent_up 1"), "the page of the next agent")
    check(main_pid("cmk-agent.service") != pid, "it is another agent")


def test_they_stop_with_the_agent_and_do_not_start_it() -> None:
    serve()
    PLACE.mkdir(parents=True, exist_ok=True)
    must("systemctl", "enable", "--now", WRITER)
    must("systemctl", "stop", "cmk-agent.service")
    eventually(lambda: page_says("cmk_agent_up 0"), "the page says that it is away")
    check(not is_active(WRITER), "the writer has ended")
    check(not is_active("cmk-agent.service"), "the agent was not started again")
    must("systemctl", "start", "cmk-agent.service")
    eventually(lambda: page_says("cmk_agent_up 1"), "the page comes with the agent")
    must("systemctl", "disable", "--now", WRITER)
    PAGE.unlink()


def test_the_journal_explains_itself() -> None:
    serve()
    held = Held()
    must("cmkctl", "release", held.lease)
    lease_is_gone(held.lease)
    held.end()
    entries = ("journalctl", "-x", "--no-pager", "MESSAGE_ID=c74a6d509d54409aaa468c06bf35267f",
               f"CMK_LEASE={held.lease}")  # fmt: skip
    eventually(lambda: held.lease in run(*entries).out, "the entry of the release")
    has(must(*entries), f"Lease {held.lease} of the pool exclusive was released",
        "Nothing needs to be done")  # fmt: skip
    has(cmkctl("metrics").out, 'cmk_leases_ended_total{pool="exclusive"}')
