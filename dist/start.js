'use strict';
/**
 * Loads the program and opens one of its doors. Node keeps the compiled code of program.js in the user's cache folder and loads
 * it from there the next time (nodejs.org/api/module.html, "Module compile cache"). Without that cache Node compiles each time.
 */
const { enableCompileCache } = require('node:module');
const { homedir } = require('node:os');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');

/** @param {'main' | 'post' | 'cli'} door */
exports.open = (door) => {
  try {
    const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
    // Node before 22.1 has no compile cache.
    enableCompileCache?.(join(caches, 'rolling-restart', 'compiled'));
  } catch {
    // The user has no home folder: the start takes a tenth of a second longer.
  }
  const program = require('./program.js');
  // V8 grows the space for new objects with everything that passes through it: threefold for a log of 2 GB. The size that it has
  // after the start is enough (v8, flag-definitions.h).
  setFlagsFromString('--semi-space-growth-factor=1');
  return program[door]();
};
