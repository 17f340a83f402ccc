# SPDX-License-Identifier: Apache-2.0
"""The machine itself is as the tests take it to be."""

from pathlib import Path

from machine import CGROUP, cpus_of, must, read


def test_has_four_cores_on_two_sockets() -> None:
    assert cpus_of(read("/sys/devices/system/cpu/online")) == set(range(8))
    for cpu in range(8):
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        assert cpus_of(read(topology / "core_cpus_list")) == {cpu & ~1, cpu | 1}
        assert read(topology / "physical_package_id") == str(cpu // 4)


def test_runs_systemd_on_cgroup_v2() -> None:
    assert read("/proc/1/comm") == "systemd"
    assert "cpuset" in read(CGROUP / "cgroup.controllers").split()
    must("systemctl", "is-active", "dbus.service")
