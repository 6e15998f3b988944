# SPDX-License-Identifier: MIT
$| = 1;
print "hello from perl @ARGV\n";
sleep 1000000;
