// SPDX-License-Identifier: MIT
// http2-load PORT: requests over one HTTP/2 connection, one after the other, until standard input ends; a connection
// that says GOAWAY is not used for the next one. A request that GOAWAY meets before it is sent is REFUSED_STREAM by our
// own side and repeated, as every client does (RFC 9113, 8.7). Prints "begun" at the first answer, and at the end
// {"answered":N,"failed":[...],"sessions":N}.
'use strict';
const http2 = require('http2');
const port = Number(process.argv[2]);
const result = { answered: 0, failed: [], sessions: 0 };
let ended = false;
let session = null;

process.stdin.on('end', () => { ended = true; }).resume();

function connection() {
  if (!session) {
    const s = http2.connect(`http://127.0.0.1:${port}`);
    s.on('goaway', () => { session = session === s ? null : session; });
    s.on('close', () => { session = session === s ? null : session; });
    s.on('error', (e) => result.failed.push(String(e)));
    result.sessions++;
    session = s;
  }
  return session;
}

function next() {
  if (ended) {
    console.log(JSON.stringify(result));
    process.exit();
  }
  const stream = connection().request({ ':path': '/' });
  let body = '';
  let failed = false;
  stream.setEncoding('utf8');
  stream.on('data', (d) => { body += d; });
  stream.on('error', (e) => {
    failed = true;
    if (stream.rstCode !== http2.constants.NGHTTP2_REFUSED_STREAM) {
      result.failed.push(String(e));
    }
  });
  stream.on('close', () => {
    if (body.includes('"pid"')) {
      if (result.answered++ === 0) {
        console.log('begun');
      }
    } else if (!failed) {
      result.failed.push('no answer');
    }
    setImmediate(next);
  });
}
next();
