/**
 * What the public workflows are, as data: which procedure each carries out and which inputs of the action it does not
 * pass on. Every input of action.yml that is not left out here is passed on, so that a new input reaches all
 * workflows by running `npm run docs` (or `node scripts/lib/workflow-generate.mjs`) and cannot be forgotten.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from './files.mjs';

/**
 * @typedef {object} PublicWorkflow
 * @property {string} file name in `.github/workflows/`
 * @property {string[]} required inputs of the action that a caller of this workflow has to give
 * @property {string[]} leftOut inputs of the action that make no sense here, or that the workflow sets itself
 * @property {Chain} [chain] where it runs the action not itself, but calls another public workflow for each host
 * @property {readonly Phase[]} [phases] where the procedure `maintenance` has a job for each of its phases
 *
 * @typedef {object} Phase
 * @property {string} name as the input `phase` has it, and the id of the job
 * @property {string} title of the job
 * @property {readonly string[]} whole values of `phase`, beside its own name, with which it is carried out
 * @property {boolean} changes whether it changes what runs: the job that people approve
 *
 * @typedef {object} Chain
 * @property {string} calls the other workflow
 * @property {number} hosts how many there can be: a job each
 * @property {string[]} perHost inputs of the other workflow that each host has its own of
 * @property {string[]} own inputs of the other workflow that are passed on, and are not the action's or are declared by hand
 */

/** Set by each workflow itself: the procedure is what the workflow is, the token comes as a secret. */
const SET_BY_EVERY_WORKFLOW = ['procedure', 'github-token'];

/** Inputs of the action that a caller gives as secrets: what is given as an input is shown to everybody. */
export const SECRET_INPUTS = [
  'slack-webhook-url',
  'webhook-url',
  'webhook-secret',
  'smtp-url',
  'status-page-headers',
  'fetch-token',
  'revert-token',
];

/** Inputs of procedures that no public workflow carries out. */
const OF_OTHER_PROCEDURES = ['period', 'metrics-file'];

/** An emergency restart starts again what is there: it takes no new code and has nothing to go back to. */
const NOT_IN_AN_EMERGENCY = [
  'push-to',
  'revert-token',
  'allow-downgrade',
  'environment',
  'environment-url',
  'fetch-token',
  'ref',
  'image',
  'build-command',
  'pull-base',
  'release-command',
  'test-command',
  'strategy',
  'router',
  'drain-timeout',
  'rollback-to',
  'auto-rollback',
  'keep-releases',
];

/** Inputs of a maintenance window. */
const OF_A_MAINTENANCE = [
  'status-page-headers',
  'status-page-url',
  'status-page-maintenance',
  'status-page-operational-url',
  'status-page-operational',
  'status-page-announce-url',
  'status-page-announce',
  'status-page-complete-url',
  'status-page-complete',
  'phase',
  'maintenance-start',
  'maintenance-duration',
  'impact',
  'load-test',
];

/** Inputs of the monthly review. */
const OF_A_REVIEW = [
  'working-directory',
  'service',
  'compose-files',
  'project-name',
  'env-file',
  'state-dir',
  'evidence-dir',
  'period',
  'metrics-file',
  'dry-run',
];

/** Data goes back with a rollback alone. */
const OF_A_ROLLBACK = ['rollback-to', 'with-data'];

/**
 * The phases of a maintenance, in their order, as src/model/maintenance.ts has them. Without `phase` the work is carried
 * out and verified.
 *
 * @type {readonly Phase[]}
 */
export const MAINTENANCE_PHASES = [
  { name: 'announce', title: 'Announce', whole: ['all'], changes: false },
  { name: 'precheck', title: 'Precheck', whole: ['all'], changes: false },
  { name: 'perform', title: 'Perform', whole: ['all', ''], changes: true },
  { name: 'verify', title: 'Verify', whole: ['all', ''], changes: false },
  { name: 'complete', title: 'Complete', whole: ['all'], changes: false },
];

/** Inputs of a plan on a pull request. */
const OF_A_PLAN = [
  'working-directory',
  'service',
  'compose-files',
  'project-name',
  'env-file',
  'strategy',
  'router',
  'edge-image',
  'state-dir',
  'evidence-dir',
  'fetch-token',
];

const NOT_IN_A_DEPLOY = [...SET_BY_EVERY_WORKFLOW, ...OF_OTHER_PROCEDURES, ...OF_A_ROLLBACK, ...OF_A_MAINTENANCE];

/** @type {readonly PublicWorkflow[]} */
export const PUBLIC_WORKFLOWS = [
  {
    file: 'deploy.yml',
    required: ['working-directory', 'smoke-test'],
    leftOut: NOT_IN_A_DEPLOY,
  },
  {
    file: 'deploy-chain.yml',
    // Each host may have a working directory of its own.
    required: ['smoke-test'],
    // Declared by hand: a name could be another commit for the next host.
    leftOut: [...NOT_IN_A_DEPLOY, 'ref'],
    chain: {
      calls: 'deploy.yml',
      hosts: 8,
      perHost: ['runner', 'working-directory', 'environment', 'environment-url'],
      own: ['ref', 'timeout-minutes'],
    },
  },
  {
    file: 'release.yml',
    required: ['working-directory', 'smoke-test'],
    leftOut: [
      ...SET_BY_EVERY_WORKFLOW,
      ...OF_OTHER_PROCEDURES,
      'ref',
      'allow-downgrade',
      ...OF_A_ROLLBACK,
      ...OF_A_MAINTENANCE,
    ],
  },
  {
    file: 'rollback.yml',
    required: ['working-directory'],
    leftOut: [
      ...SET_BY_EVERY_WORKFLOW,
      ...OF_OTHER_PROCEDURES,
      'ref',
      'allow-downgrade',
      'image',
      'release-command',
      ...OF_A_MAINTENANCE,
    ],
  },
  {
    file: 'maintenance.yml',
    required: ['working-directory'],
    phases: MAINTENANCE_PHASES,
    leftOut: [
      ...SET_BY_EVERY_WORKFLOW,
      ...OF_OTHER_PROCEDURES,
      'allow-downgrade',
      'push-to',
      'revert-token',
      ...OF_A_ROLLBACK,
    ],
  },
  {
    file: 'emergency.yml',
    required: ['working-directory'],
    leftOut: [
      ...SET_BY_EVERY_WORKFLOW,
      ...OF_OTHER_PROCEDURES,
      ...NOT_IN_AN_EMERGENCY,
      'with-data',
      ...OF_A_MAINTENANCE,
    ],
  },
  {
    file: 'plan.yml',
    required: ['working-directory'],
    get leftOut() {
      return allBut(OF_A_PLAN);
    },
  },
  {
    file: 'slo-review.yml',
    required: ['working-directory'],
    // Of action.yml as it is when it is asked for: it may have been written a moment ago.
    get leftOut() {
      return allBut(OF_A_REVIEW);
    },
  },
];

/** @param {readonly string[]} kept */
function allBut(kept) {
  return readActionInputs().flatMap(({ name }) => (kept.includes(name) ? [] : [name]));
}

/** The outcomes of a run that make its job red, as src/model/outcome.ts has them. */
export const RED_OUTCOMES = ['refused', 'failed', 'rolled-back', 'rollback-failed', 'cancelled'];

/** The folder of the actions that are reached as `$/…`. */
export const SUBFOLDER_ACTIONS = '.github/actions';

/** Where the public workflows reach the action; says why: docs/adr/0003-how-workflows-reach-the-action.md. */
export const SUBFOLDER_ACTION = `${SUBFOLDER_ACTIONS}/rolling-restart`;

/**
 * @typedef {object} ActionInput
 * @property {string} name
 * @property {string} description
 * @property {string | undefined} default
 */

/**
 * The inputs of an action.yml, in the order they stand there.
 *
 * @param {string} [file]
 * @returns {ActionInput[]}
 */
export function readActionInputs(file = join(projectRoot, 'action.yml')) {
  const { inputs } = parse(readFileSync(file, 'utf8'));
  return Object.entries(inputs).map(([name, input]) => ({
    name,
    description: String(input.description).trim(),
    default: input.default === undefined ? undefined : String(input.default),
  }));
}

/**
 * The type of an input in a workflow. Actions know only text; workflows know more, and a form drawn from a boolean is
 * a tick box.
 *
 * @param {ActionInput} input
 * @returns {'boolean' | 'number' | 'string'}
 */
export function workflowType(input) {
  if (input.default === 'true' || input.default === 'false') return 'boolean';
  if (input.default !== undefined && /^\d+$/.test(input.default)) return 'number';
  return 'string';
}

/**
 * The inputs of the action that a workflow passes on: those it asks for first, then the others as in action.yml.
 *
 * @param {PublicWorkflow} workflow
 * @param {ActionInput[]} inputs
 */
export function passedOn(workflow, inputs) {
  const first = workflow.required.map((name) => {
    const input = inputs.find((candidate) => candidate.name === name);
    if (input === undefined) throw new Error(`${workflow.file} asks for "${name}", which action.yml does not know`);
    return input;
  });
  const elsewhere = [...workflow.required, ...workflow.leftOut, ...SECRET_INPUTS];
  const rest = inputs.filter(({ name }) => !elsewhere.includes(name));
  return [...first, ...rest];
}

/**
 * The inputs of the action that are secrets of a workflow.
 *
 * @param {PublicWorkflow} workflow
 * @param {ActionInput[]} inputs
 */
export function secretInputs(workflow, inputs) {
  return inputs.filter(({ name }) => SECRET_INPUTS.includes(name) && !workflow.leftOut.includes(name));
}
