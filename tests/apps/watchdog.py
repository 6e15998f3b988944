# SPDX-License-Identifier: MIT
"""Tells READY=1, then WATCHDOG=1 ten times a second until the file `stuck` is there; `trigger` gives itself up."""
import os
import socket
import time

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"])
s.send(b"READY=1")
while True:
    if os.path.exists("trigger"):
        os.unlink("trigger")
        s.send(b"WATCHDOG=trigger")
    elif not os.path.exists("stuck"):
        s.send(b"WATCHDOG=1")
    time.sleep(0.1)
