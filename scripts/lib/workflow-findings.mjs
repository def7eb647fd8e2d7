/**
 * What the checkers say about workflow files, in one shape, and the few things they say because they are older than
 * the platform. Everything else counts.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tryRun } from './command.mjs';
import { projectRoot } from './files.mjs';
import { actionlint, languageService, zizmor } from './workflow-tools.mjs';

/** @typedef {{ tool: 'actionlint' | 'zizmor' | 'parser', file: string, line: number, message: string }} Finding */

/**
 * Findings that come from a tool not knowing the platform of today. A test fails when one of them is no longer needed.
 *
 * @type {readonly { tool: Finding['tool'], message: RegExp, why: string }[]}
 */
export const NOT_KNOWN_YET = [
  {
    tool: 'actionlint',
    message: /^unexpected key "queue" for "concurrency" section/,
    why: 'actionlint 1.7.12 is older than `queue` (May 2026); the official parser knows it and checks its value',
  },
  {
    tool: 'actionlint',
    message:
      /^specifying action "\$\/\.github\/actions\/(?:rolling-restart|deploy-chain|record-release)" in invalid format because ref is missing/,
    why: 'actionlint 1.7.12 does not know `$/`; the official parser does, and finds the action and its inputs there',
  },
  {
    tool: 'actionlint',
    message: /^reusable workflow call "\$\/\.github\/workflows\/[\w-]+\.yml" at "uses" is not following the format/,
    why: 'the same for a workflow: the official parser finds it and checks the inputs and secrets that it is given',
  },
  {
    tool: 'actionlint',
    message: /^property "result" is not defined in object type \{outputs: /,
    why: 'actionlint 1.7.12 gives the context `jobs` outputs alone; it has the result of each job as well (docs.github.com, "Contexts reference", jobs context), and the official parser knows it',
  },
];

/** @param {Finding} finding */
export const isKnown = (finding) =>
  NOT_KNOWN_YET.some(({ tool, message }) => tool === finding.tool && message.test(finding.message));

/**
 * @param {string[]} files absolute paths
 * @returns {Promise<Finding[]>}
 */
export async function runActionlint(files) {
  const result = await tryRun(await actionlint(), ['-no-color', '-format', '{{json .}}', ...files]);
  // 0: nothing found, 1: something found; anything else is the tool's own trouble.
  if (result.code !== 0 && result.code !== 1) throw new Error(`actionlint failed: ${result.stderr}`);
  return JSON.parse(result.stdout).map((finding) => ({
    tool: 'actionlint',
    file: relative(projectRoot, finding.filepath),
    line: finding.line,
    message: finding.message,
  }));
}

/**
 * @param {string[]} files absolute paths of workflows and actions
 * @returns {Promise<Finding[]>}
 */
export async function runZizmor(files) {
  // Offline: what it could ask the network about (does this commit exist?) is not asked in a test.
  const options = ['--offline', '--no-config', '--persona=pedantic', '--format=json', '--no-exit-codes', '--quiet'];
  const result = await tryRun(await zizmor(), [...options, ...files]);
  if (result.code !== 0) throw new Error(`zizmor failed: ${result.stderr}`);
  return JSON.parse(result.stdout).map((finding) => {
    const where = finding.locations.find(({ symbolic }) => symbolic.kind === 'Primary') ?? finding.locations[0];
    const path = where.symbolic.key.Local;
    return {
      tool: 'zizmor',
      file: relative(projectRoot, path.given_path ?? ''),
      line: where.concrete.location.start_point.row + 1,
      message: `${finding.ident}: ${where.symbolic.annotation || finding.desc}`,
    };
  });
}

/**
 * GitHub's own validator, with the action behind `$/` found in this repository, so that inputs are checked as well.
 *
 * @param {string[]} files absolute paths
 * @returns {Promise<Finding[]>}
 */
export async function runParser(files) {
  const { validate, TextDocument } = await import(pathToFileURL(await languageService()).href);
  const fileProvider = {
    getFileContent: async ({ path }) => ({ name: path, content: readFileSync(join(projectRoot, path), 'utf8') }),
  };
  const findings = [];
  for (const file of files) {
    const document = TextDocument.create(pathToFileURL(file).href, 'yaml', 1, readFileSync(file, 'utf8'));
    for (const { message, range } of await validate(document, { fileProvider })) {
      findings.push({ tool: 'parser', file: relative(projectRoot, file), line: range.start.line + 1, message });
    }
  }
  return findings;
}
