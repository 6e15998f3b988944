// SPDX-License-Identifier: MIT
// Says why and when it ends.
'use strict';
const http = require('http');
const { body, port } = require('./answer');

process.on('disconnect', () => console.log('disconnected'));
process.on('SIGTERM', () => {
	console.log('sigterm');
	process.exit(0);
});
http.createServer((req, res) => setTimeout(() => res.end(body()), 300)).listen(port);
