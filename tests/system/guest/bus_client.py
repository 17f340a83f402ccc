#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A foreign client of the agent on the system bus, in its own process.

    bus_client.py listen                         a line for each signal, until the input ends
    bus_client.py isolate POOL CORES             leases for itself, prints the answer, holds it
    bus_client.py isolate-process PID POOL CORES
    bus_client.py release LEASE
    bus_client.py list                           pools and leases

Answers are one line of JSON. An error of the agent is {"error": NAME, "text": TEXT}.
"""

import json
import os
import sys
from typing import Any

import dbus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME, PATH, INTERFACE = "org.cmk.Agent1", "/org/cmk/Agent1", "org.cmk.Agent1.Manager"
PROPERTIES = "org.freedesktop.DBus.Properties"


def plain(value: Any) -> Any:
    """D-Bus values as JSON has them."""
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return int(value) if isinstance(value, int) else str(value)


def tell(value: Any) -> None:
    print(json.dumps(plain(value)), flush=True)


def listen(bus: dbus.SystemBus) -> None:
    def on_signal(*arguments: Any, member: str) -> None:
        tell([member, *arguments])

    for interface in (INTERFACE, PROPERTIES):
        bus.add_signal_receiver(
            on_signal, dbus_interface=interface, path=PATH, member_keyword="member"
        )
    bus.name_has_owner(NAME)  # once it is answered, the matches before it stand
    tell(["listening"])
    loop = GLib.MainLoop()
    GLib.io_add_watch(0, GLib.IO_HUP | GLib.IO_IN, lambda *_: loop.quit())
    loop.run()


def act(bus: dbus.SystemBus, words: list[str]) -> None:
    agent = dbus.Interface(bus.get_object(NAME, PATH, introspect=False), INTERFACE)
    none = dbus.Dictionary({}, signature="sv")
    if words[0] == "isolate":
        tell(agent.Isolate(words[1], dbus.UInt32(words[2]), none))
        sys.stdin.read()
    elif words[0] == "isolate-process":
        pidfd = dbus.types.UnixFd(os.pidfd_open(int(words[1])))
        tell(agent.IsolateProcess(pidfd, words[2], dbus.UInt32(words[3]), none))
    elif words[0] == "release":
        agent.Release(words[1], none)
        tell("released")
    else:
        tell([agent.ListPools(), agent.ListLeases()])


def main() -> int:
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    words = sys.argv[1:]
    try:
        if words[0] == "listen":
            listen(bus)
        else:
            act(bus, words)
    except dbus.DBusException as error:
        tell({"error": error.get_dbus_name(), "text": error.get_dbus_message()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
