// SPDX-License-Identifier: MIT
// Says hello from its pid. WORKERS=N: as a cluster of node's own with N workers, without any process manager
// (NODE_CLUSTER_SCHED_POLICY, a variable of node's, chooses how it hands out connections).
'use strict';
const http = require('http');
const cluster = require('cluster');

if (cluster.isPrimary && process.env.WORKERS) {
	for (let i = 0; i < Number(process.env.WORKERS); i++)
		cluster.fork();
} else {
	http.createServer((req, res) => {
		res.end(`hello from ${process.pid}\n`);
	}).listen(Number(process.env.PORT), '127.0.0.1');
}
