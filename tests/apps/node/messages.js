// SPDX-License-Identifier: MIT
// Sends "ready" (after DELAY ms, or once the file GATE is there) and prints every message it gets as JSON; {"echo":x} is sent back.
'use strict';
const fs = require('fs');
process.on('message', (m) => {
	console.log('got', JSON.stringify(m));
	if (m && m.echo !== undefined) {
		process.send({ echoed: m.echo });
	}
});
function begin() {
	if (process.env.GATE && !fs.existsSync(process.env.GATE)) {
		setTimeout(begin, 20);
	} else {
		process.send('ready');
	}
}
setTimeout(begin, Number(process.env.DELAY || 0));
setInterval(() => {}, 1000);
