# SPDX-License-Identifier: MIT
import signal
import sys

print("hello from python", *sys.argv[1:], flush=True)
signal.pause()
