'use strict';
/**
 * What Node starts: nothing but this. It lets Node keep what it compiles of program.js in the user's cache folder, and load it
 * from there the next time (nodejs.org/api/module.html, "Module compile cache"). Where that is not possible Node compiles as ever.
 */
const { enableCompileCache } = require('node:module');
const { homedir } = require('node:os');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');

try {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  // Nodes before 22.1 have none.
  enableCompileCache?.(join(caches, 'rolling-restart', 'compiled'));
} catch {
  // A user without a home folder: it starts a tenth of a second later.
}
require('./program.js');
// V8 lets the space for what is new grow with everything that passes through it, threefold in a log of 2 GB, and a host is
// there for its services. What the program's start has made of it is enough (v8, flag-definitions.h).
setFlagsFromString('--semi-space-growth-factor=1');
