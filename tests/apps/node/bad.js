// SPDX-License-Identifier: MIT
// A bad deploy: throws while it loads.
'use strict';
require('./no-such-module');
