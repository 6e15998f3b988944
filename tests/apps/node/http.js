// SPDX-License-Identifier: MIT
// GET / answers at once; /slow?MS after MS milliseconds; /crash dies before it answers; /burn?MS computes.
'use strict';
const http = require('http');
const { body, port } = require('./answer');

const server = http.createServer((req, res) => {
	const [path, query] = req.url.split('?');
	if (path === '/crash') {
		process.kill(process.pid, 'SIGKILL');
	} else if (path === '/throw') {
		throw new Error('thrown by a request');
	} else if (path === '/slow') {
		console.log('slow request began');
		setTimeout(() => res.end(body()), Number(query));
	} else if (path === '/burn') {
		const end = process.cpuUsage().user + Number(query) * 1000;
		while (process.cpuUsage().user < end);
		res.end(body());
	} else {
		res.end(body());
	}
});
server.listen(port, process.env.HOST, () => console.log('listening', process.pid));
