/** Starting the compiled action as the runner does, and watching what it costs. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../lib/files.mjs';

/** A run that takes longer than this hangs. */
const DEADLINE_MS = 900_000;

/** The runner sets every input that action.yml has, with its default or empty. */
function defaults() {
  const { inputs } = parse(readFileSync(join(projectRoot, 'action.yml'), 'utf8'));
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, String(input.default ?? '')]));
}

/**
 * Starts dist/main as the runner does.
 *
 * @param {string} node Node 24
 * @param {{ root: string, dir: string, name: string }} project
 * @param {Record<string, string>} inputs
 * @param {NodeJS.ProcessEnv} [environment]
 */
export function startBundle(node, project, inputs, environment = {}) {
  const job = join(project.root, 'job');
  const workspace = join(job, '_work/app/app');
  mkdirSync(workspace, { recursive: true });
  const files = { GITHUB_OUTPUT: 'output', GITHUB_STATE: 'state', GITHUB_STEP_SUMMARY: 'summary' };
  for (const file of Object.values(files)) writeFileSync(join(job, file), '');
  const all = {
    ...defaults(),
    'working-directory': project.dir,
    'state-dir': join(project.root, 'state'),
    ...inputs,
  };
  const given = Object.entries(all).map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value]);
  return spawn(node, [join(projectRoot, 'dist/main.js')], {
    cwd: workspace,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: workspace,
      GITHUB_RUN_ID: '1',
      ...Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(job, file)])),
      ...Object.fromEntries(given),
      ...environment,
    },
  });
}

/**
 * Runs the bundle to its end and demands that it is green.
 *
 * @returns {Promise<{ ms: number, peakBytes: number, report: object }>} wall time and the most memory it ever had
 * @throws {Error} with the log when it is not
 */
export async function runBundle(node, project, inputs) {
  const began = performance.now();
  const child = startBundle(node, project, inputs);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (log += text));
  let peakBytes = 0;
  const look = () => (peakBytes = Math.max(peakBytes, highWater(child.pid)));
  // The kernel keeps the highest mark itself: reading it late loses nothing but the very end.
  const looking = setInterval(look, 50);
  const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const ms = performance.now() - began;
  clearInterval(looking);
  clearTimeout(timer);
  const outputs = readFileSync(join(project.root, 'job/output'), 'utf8');
  const path = /^report-path<<(\S+)\n(.*)\n\1$/m.exec(outputs)?.[2];
  if (code !== 0 || path === undefined) throw new Error(`the bundle ended with ${code}:\n${log}`);
  return { ms, peakBytes, report: JSON.parse(readFileSync(path, 'utf8')), log };
}

/** VmHWM, "peak resident set size" (proc_pid_status(5)); 0 when the process is gone. */
function highWater(pid) {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found === null ? 0 : Number(found[1]) * 1024;
  } catch {
    return 0;
  }
}
