#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes a core over D-Bus, works on it and gives it back. Needs python3-dbus.

    sudo ./dbus_client.py [POOL]

The interface is described in `man org.cmk.Agent1`. Who runs it as root may lease from every pool;
others where the pool's allow_users and the like, or polkit, let them.
"""

import os
import sys

import dbus

NAME, PATH, INTERFACE = "org.cmk.Agent1", "/org/cmk/Agent1", "org.cmk.Agent1.Manager"
WAIT_SECONDS = 30


def main() -> None:
    pool = sys.argv[1] if len(sys.argv) > 1 else "exclusive"
    bus = dbus.SystemBus()
    agent = dbus.Interface(bus.get_object(NAME, PATH, introspect=False), INTERFACE)
    # Queues where all cores are taken. The reply comes when there is one, so the call has to wait
    # longer than the queue. Without the option a full pool is the error NotEnoughCpus.
    options = dbus.Dictionary({"wait_ms": dbus.UInt64(WAIT_SECONDS * 1000)}, signature="sv")
    lease, cpus, info = agent.Isolate(pool, dbus.UInt32(1), options, timeout=WAIT_SECONDS + 10)

    # From here on this process, and what it starts, runs on these CPUs alone.
    print(f"lease {lease}, CPUs {cpus}, grade {info['grade']}", flush=True)
    work()

    # Without this line the lease ends with the process.
    agent.Release(lease, dbus.Dictionary({}, signature="sv"))
    print(f"released, runs on {len(os.sched_getaffinity(0))} CPUs again")


def work() -> None:
    print(f"works on {sorted(os.sched_getaffinity(0))}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except dbus.DBusException as error:
        # One sentence that says what, why and what to do next.
        sys.exit(f"{error.get_dbus_name()}: {error.get_dbus_message()}")
