<?php
// SPDX-License-Identifier: MIT
// A router for php -S: answers "PID SLOT\n"; /work?MS takes that long.
if (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) === '/work') {
	usleep(1000 * (int) $_SERVER['QUERY_STRING']);
}
header('Content-Type: text/plain');
echo getmypid(), ' ', getenv('PMCTL_SLOT'), "\n";
