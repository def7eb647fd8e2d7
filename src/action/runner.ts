import { statSync, truncateSync } from 'node:fs';
import {
  debug,
  endGroup,
  error,
  getState,
  info,
  isDebug,
  saveState,
  setOutput,
  setSecret,
  startGroup,
  summary,
  warning,
} from '@actions/core';
import { unseen, type Progress } from '../model/ports/progress.js';
import { shortened } from '../model/shortened.js';
import { formatDuration } from '../model/units.js';
import { fitSummary } from './fit-summary.js';
import type { OutputName } from './input-table.js';
import { plainLines } from './plain-lines.js';

/** What the platform shows of each kind for one step; later ones are dropped in silence. */
const ANNOTATION_LIMIT = 10;
/** The runner cuts a longer one at 4,096 characters without a word (actions/runner, ExecutionContext.AddIssue). */
const ANNOTATION_CHARACTERS = 4_000;

/** The runner's protocol: log, outputs, saved state, summary. The one user of @actions/core. */
export interface Runner extends Progress {
  setOutput(name: OutputName, value: string): void;
  /** For `post`; to be called before the first effect, because a killed process says nothing more. */
  saveState(name: string, value: string): void;
  getState(name: string): string;
  /** Masks a value in everything the runner shows from now on. */
  setSecret(value: string): void;
  /** Adds to the job summary; does nothing where there is none. */
  writeSummary(markdown: string): Promise<void>;
  /** Makes the job red, with the reason as an annotation. */
  fail(reason: string): void;
}

/**
 * Takes half of an entry away again, which a full disk leaves behind: the runner fails a step whose file has an entry
 * without an end (actions/runner, FileCommandManager).
 */
function wholeOrNothing(file: string | undefined, append: () => void): void {
  const before = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  try {
    append();
  } catch (error) {
    if (file !== undefined && before?.isFile() === true) truncateSync(file, before.size);
    throw error;
  }
}

/** @param redact hides secrets in every line */
export function createRunner(redact: (text: string) => string): Runner {
  let depth = 0;
  const counts = { warning: 0, error: 0 };

  const say = (line: string): void => {
    for (const part of plainLines(redact(line))) info('  '.repeat(Math.max(0, depth - 1)) + part);
  };
  const annotate = (kind: 'warning' | 'error', line: string): void => {
    counts[kind] += 1;
    if (counts[kind] <= ANNOTATION_LIMIT) {
      const text = shortened(plainLines(redact(line)).join('\n'), ANNOTATION_CHARACTERS);
      if (kind === 'warning') warning(text);
      else error(text);
      return;
    }
    if (counts[kind] === ANNOTATION_LIMIT + 1) {
      say(
        `(the platform shows ${ANNOTATION_LIMIT} ${kind} annotations; further ones are in this log and in the summary)`,
      );
    }
    say(`${kind}: ${line}`);
  };

  return {
    async group(title, body) {
      const began = performance.now();
      const nested = depth > 0;
      // Groups of the runner do not nest: an inner one is a heading with its lines moved in.
      if (nested) say(title);
      else startGroup(plainLines(redact(title)).join(' '));
      depth += 1;
      let mark = '✖';
      try {
        const value = await body();
        mark = '✔';
        return value;
      } finally {
        depth -= 1;
        const took = `${mark} ${title}: ${formatDuration(performance.now() - began)}`;
        if (!nested) endGroup();
        say(took);
      }
    },
    info: say,
    debug: (line) => {
      if (isDebug()) debug(plainLines(redact(line)).join('\n'));
    },
    warning: (line) => annotate('warning', line),
    error: (line) => annotate('error', line),
    doing: unseen,
    setOutput: (name, value) => {
      const clean = redact(value);
      wholeOrNothing(process.env['GITHUB_OUTPUT'], () => setOutput(name, clean));
    },
    saveState: (name, value) => wholeOrNothing(process.env['GITHUB_STATE'], () => saveState(name, value)),
    getState: (name) => getState(name),
    setSecret: (value) => {
      // Outside of a runner nobody reads the command, and it would print the very secret.
      if (process.env['GITHUB_ACTIONS'] !== 'true') return;
      for (const line of value.split(/\r?\n/)) if (line.trim() !== '') setSecret(line);
    },
    async writeSummary(markdown) {
      if ((process.env['GITHUB_STEP_SUMMARY'] ?? '') === '') return;
      await summary.addRaw(fitSummary(redact(markdown)), true).write();
    },
    fail: (reason) => {
      process.exitCode = 1;
      annotate('error', reason);
    },
  };
}
