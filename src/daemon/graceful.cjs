// SPDX-License-Identifier: MIT
// Loaded with --require before the program of a clustered worker (graceful = yes). An http server that is being
// closed still answers what comes over the connections it has, but with "Connection: close", so that each client
// opens its next connection elsewhere; only what stays idle for GRACE_MS is closed under it.
'use strict';
const cluster = require('cluster');

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
        setTimeout(() => closeIdleConnections.call(this), GRACE_MS);
      }
    }
  };
}

if (cluster.isWorker) {
  makeGraceful(require('http').Server);
  makeGraceful(require('https').Server);
}
