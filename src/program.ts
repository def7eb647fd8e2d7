/**
 * The whole program. `dist/` holds it once, and three small files start one door each (scripts/build.mjs).
 * The action runs on every job of every runner, so its size is download time for the user.
 */
export { main } from './main.js';
export { post } from './post.js';
export { cli } from './cli.js';
