// SPDX-License-Identifier: MIT
// What a deploy may bring: the file `deploy` in the working directory names it.
'use strict';
const fs = require('fs');
const http = require('http');
const { body, port } = require('./answer');

const what = fs.existsSync('deploy') ? fs.readFileSync('deploy', 'utf8').trim() : 'good';
const serve = (at) =>
	http
		.createServer((req, res) => {
			const ms = Number(req.url.split('?')[1] || 0);
			if (ms) {
				console.log('slow request began');
			}
			setTimeout(() => res.end(body()), ms);
		})
		.listen(at);

switch (what) {
	case 'throws':
		throw new Error('a bad deploy');
	case 'late':
		serve(port);
		setTimeout(() => {
			console.error('dying late');
			process.exit(7);
		}, 300);
		break;
	case 'other':
		serve(port + 1);
		break;
	case 'both':
		serve(port);
		setTimeout(() => serve(port + 1), 200);
		break;
	case 'never':
		setInterval(() => {}, 1000);
		break;
	case 'hangs':
		for (;;);
	case 'stays': // does not end when it is told to disconnect, nor by a signal
		serve(port);
		process.on('SIGTERM', () => {});
		setInterval(() => {}, 1000);
		break;
	default:
		serve(port);
}
