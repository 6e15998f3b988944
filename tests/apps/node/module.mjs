// SPDX-License-Identifier: MIT
// An ES module.
import http from 'node:http';

http.createServer((req, res) => res.end(JSON.stringify({ pid: process.pid })))
	.listen(Number(process.env.PORT));
