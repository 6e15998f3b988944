// SPDX-License-Identifier: MIT
// A chat backend in small, an ordinary node program: it knows nothing of pmctl.
//   GET /         says which process answers; costs next to nothing
//   GET /match/7  the five users most like user 7: a few milliseconds of CPU
'use strict';
const http = require('http');

const USERS = 25000;
const INTERESTS = 64;

// Every process must know the same users, so they come from a fixed sequence, not from Math.random().
const likes = new Float32Array(USERS * INTERESTS);
let seed = 1;
for (let i = 0; i < likes.length; i++) {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	likes[i] = seed / 2 ** 32 - 0.5;
}

function likeness(a, b) {
	let sum = 0;
	for (let i = 0; i < INTERESTS; i++) {
		sum += likes[a * INTERESTS + i] * likes[b * INTERESTS + i];
	}
	return sum;
}

function match(user) {
	const best = [];
	for (let other = 0; other < USERS; other++) {
		if (other === user) {
			continue;
		}
		const score = likeness(user, other);
		if (best.length < 5 || score > best[4].score) {
			best.push({ user: other, score });
			best.sort((a, b) => b.score - a.score);
			best.length = Math.min(best.length, 5);
		}
	}
	return best;
}

const server = http.createServer((req, res) => {
	const m = /^\/match\/(\d{1,5})$/.exec(req.url);
	res.setHeader('X-Worker', process.pid);
	if (req.url === '/') {
		console.log('hello');
		res.end(`hello from web:${process.env.NODE_APP_INSTANCE}, pid ${process.pid}\n`);
	} else if (m) {
		res.setHeader('Content-Type', 'application/json');
		res.end(JSON.stringify(match(m[1] % USERS)) + '\n');
	} else {
		res.statusCode = 404;
		res.end('no such page\n');
	}
});

server.listen(process.env.PORT, () => console.log(`listening on port ${process.env.PORT}`));
