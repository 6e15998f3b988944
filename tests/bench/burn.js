// SPDX-License-Identifier: MIT
// Computes BURN rounds for each request. BURN=0: finds out how many take 5 ms, prints it and ends.
// WORKERS=N: as a cluster of node's own with N workers, without any process manager.
'use strict';
const http = require('http');
const cluster = require('cluster');

// A fixed amount of work and not a fixed time: two workers that disturb each other shall show it.
function burn(rounds) {
	let x = 1;
	for (let i = 0; i < rounds; i++)
		x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
	return x;
}

function calibrate() {
	let rounds = 1e5;
	let best = Infinity;
	for (let i = 0; i < 50; i++) {
		const begin = process.hrtime.bigint();
		burn(rounds);
		best = Math.min(best, Number(process.hrtime.bigint() - begin) / rounds);
	}
	return Math.round(5e6 / best);
}

const rounds = Number(process.env.BURN);
if (!rounds) {
	console.log(calibrate());
} else if (cluster.isPrimary && process.env.WORKERS) {
	for (let i = 0; i < Number(process.env.WORKERS); i++)
		cluster.fork();
} else {
	http.createServer((req, res) => {
		const text = String(burn(rounds));
		res.setHeader('Content-Length', text.length);
		res.end(text);
	}).listen(Number(process.env.PORT), '127.0.0.1');
}
