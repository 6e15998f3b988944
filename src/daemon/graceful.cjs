// SPDX-License-Identifier: MIT
// Loaded with --require before the program of a clustered worker (graceful = yes). An http server that is being
// closed still answers what comes over the connections it has, but with "Connection: close", so that each client
// opens its next connection elsewhere; only what stays idle for GRACE_MS is closed under it. HTTP/2 has a message for
// this, GOAWAY: first with the highest stream number, so that what is on its way is still answered (RFC 9113, 6.8).
'use strict';
const cluster = require('cluster');
const net = require('net');

const GRACE_MS = 1000;

function makeGraceful(Server) {
  const { close, emit, closeIdleConnections } = Server.prototype;
  const closing = new WeakSet();
  let heldBack = false; // close() itself closes idle connections since node 19

  Server.prototype.emit = function (event, ...args) {
    if (closing.has(this) && (event === 'request' || event === 'checkContinue')) {
      args[1].shouldKeepAlive = false;
    }
    return emit.call(this, event, ...args);
  };

  if (closeIdleConnections) {
    Server.prototype.closeIdleConnections = function () {
      if (!heldBack) {
        closeIdleConnections.call(this);
      }
    };
  }

  Server.prototype.close = function (callback) {
    if (closing.has(this)) {
      return close.call(this, callback);
    }
    closing.add(this);
    heldBack = true;
    try {
      return close.call(this, callback);
    } finally {
      heldBack = false;
      if (closeIdleConnections) {
        // It holds nothing up: where no connection is left the worker ends at once.
        setTimeout(() => closeIdleConnections.call(this), GRACE_MS).unref();
      }
    }
  };
}

const LAST_STREAM = 2 ** 31 - 1;

// Its classes are not exported, and most programs never load them.
function isHttp2(server) {
  return /^Http2(Secure)?Server$/.test(server.constructor.name);
}

function makeHttp2Graceful(server) {
  const { close } = server;
  const sessions = new Set();
  let closing = false;

  function sayGoodbye(session) {
    session.goaway(0, LAST_STREAM);
    setTimeout(() => session.close(), GRACE_MS);
  }

  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    if (closing) {
      sayGoodbye(session);
    }
  });
  server.close = function (callback) {
    const first = !closing;
    closing = true;
    if (first) {
      sessions.forEach(sayGoodbye);
    }
    return close.call(this, callback);
  };
}

function watchForHttp2() {
  const { listen } = net.Server.prototype;
  const known = new WeakSet();
  net.Server.prototype.listen = function (...args) {
    if (isHttp2(this) && !known.has(this)) {
      known.add(this);
      makeHttp2Graceful(this);
    }
    return listen.apply(this, args);
  };
}

if (cluster.isWorker) {
  watchForHttp2();
  makeGraceful(require('http').Server);
  makeGraceful(require('https').Server);
}
