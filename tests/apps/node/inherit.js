// SPDX-License-Identifier: MIT
// Prints its own descriptors and those of a child process: {"own":{"3":"socket:[1]"},"child":{...}}.
'use strict';
const fs = require('fs');
const { spawnSync } = require('child_process');

function look(pid) {
	const found = {};
	for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
		try {
			found[fd] = fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
		} catch {
			// the one that was open for the listing itself
		}
	}
	return found;
}

const child = spawnSync('/bin/sh', ['-c', 'for fd in /proc/$$/fd/*; do echo "${fd##*/} $(readlink "$fd")"; done']);
const lines = child.stdout.toString().trim().split('\n').map((line) => line.split(' '));
console.log(JSON.stringify({ own: look(process.pid), child: Object.fromEntries(lines) }));
setInterval(() => {}, 1000);
