# SPDX-License-Identifier: Apache-2.0
"""The last test: the host goes down with a lease in use."""

from cmk import Held, must_hold, serve
from framework import Later

DONE = "cmk-test: ended in its own time, under"

# On SIGTERM it takes its time, and says who is process 1 then: systemd, as long as units are being
# stopped in order; systemd-shutdown, when whatever is left is killed. No output but the console:
# the test that started it is gone by then.
PROGRAM = f"""
import os, signal, time
def leave(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(4)
    with open("/dev/console", "w") as console:
        console.write("{DONE} " + open("/proc/1/comm").read())
    os._exit(0)
signal.signal(signal.SIGTERM, leave)
print(os.environ["CMK_LEASE_ID"], os.environ["CMK_CPUS_ASSIGNED"], flush=True)
while True:
    signal.pause()
"""


def test_shutdown_ends_leases_in_order() -> None:
    serve()
    must_hold(Held(script=f"exec python3 -c '{PROGRAM}'"))
    raise Later(f"{DONE} systemd")
