#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""chaos-writer.py PER_SECOND: numbered lines as apps/chaos-writer.c writes them, from an interpreter."""
import fcntl
import mmap
import os
import struct
import sys
import time
import zlib

run = f"{os.getpid()}.{time.monotonic_ns()}"
folder = os.environ["CHAOS_COUNTS"]
fd = os.open(f"{folder}/new.{run}", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
fcntl.flock(fd, fcntl.LOCK_EX)
os.ftruncate(fd, 16)
written = mmap.mmap(fd, 16)
os.rename(f"{folder}/new.{run}", f"{folder}/{os.environ['PMCTL_APP']}-{os.environ['PMCTL_SLOT']}.{run}")
seq = 0
while True:
    seq += 1
    for stream, letter in enumerate("oe"):
        line = f"{run} {letter} {seq} from python".encode()
        os.write(1 + stream, b"%s %08x\n" % (line, zlib.crc32(line)))
        struct.pack_into("=Q", written, 8 * stream, seq)
    time.sleep(1 / float(sys.argv[1]))
