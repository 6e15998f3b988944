// SPDX-License-Identifier: MIT
// GET /healthz: 200, or what the control requests said before. /hang blocks the event loop for ever, /sick makes
// /healthz answer 503, /mute makes it never answer, /talk makes it send 10 MB, /slowstart is 503 for the first 3 asks.
// The states are of one process, so the answer names the pid.
'use strict';
const http = require('http');
const { body, port } = require('./answer');

let mode = process.env.MODE || 'ok';
let asked = 0;
const answers = {
	ok: (res) => res.end(body()),
	sick: (res) => res.writeHead(503).end('sick'),
	mute: () => {},
	talk: (res) => {
		for (let i = 0; i < 10; i++) {
			res.write(Buffer.alloc(1 << 20));
		}
		res.end();
	},
	slowstart: (res) => (asked > 3 ? res.end(body()) : res.writeHead(503).end()),
};

const server = http.createServer((req, res) => {
	if (req.url === '/hang') {
		res.end(body(), () => {
			for (;;);
		});
	} else if (req.url.startsWith('/healthz')) {
		asked++;
		console.log(`asked ${req.url} ${req.headers.host}`);
		answers[mode](res);
	} else if (answers[req.url.slice(1)]) {
		mode = req.url.slice(1);
		res.end(body());
	} else {
		res.end(body());
	}
});
server.listen(process.env.SOCKET || port, () => console.log('listening', process.pid));
