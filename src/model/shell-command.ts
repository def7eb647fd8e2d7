/**
 * What only a shell has besides the procedures: looking at what is there, and the few things a person does to the lock and
 * to what is kept on the engine. The one table; command line and documents come from it.
 */

export const SHELL_COMMANDS = ['status', 'history', 'cancel', 'unlock', 'recover', 'uninstall'] as const;
export type ShellCommandName = (typeof SHELL_COMMANDS)[number];

/** What a shell command takes besides inputs of the action. */
export interface ShellOptions {
  /** `history`: how many changes are shown. */
  readonly limit: number;
  /** `cancel`: how long the run may take to end, in milliseconds. */
  readonly waitMs: number;
  /** `uninstall`: do it. */
  readonly yes: boolean;
}

export type ShellOptionName = 'limit' | 'wait' | 'yes';

export interface ShellOptionSpec {
  readonly name: ShellOptionName;
  readonly description: string;
  readonly kind: 'count' | 'duration' | 'flag';
  readonly default: string;
  readonly commands: readonly ShellCommandName[];
}

export const SHELL_OPTIONS: readonly ShellOptionSpec[] = [
  {
    name: 'limit',
    description: 'How many changes are shown, newest first.',
    kind: 'count',
    default: '20',
    commands: ['history'],
  },
  {
    name: 'wait',
    description: 'How long the run may take to end; `0s` only asks it.',
    kind: 'duration',
    default: '2m',
    commands: ['cancel'],
  },
  {
    name: 'yes',
    description: 'Carry the plan out; without it it is only shown.',
    kind: 'flag',
    default: 'false',
    commands: ['uninstall'],
  },
];

export interface ShellCommandSpec {
  readonly name: ShellCommandName;
  /** One sentence, for `--help` and the docs. */
  readonly purpose: string;
  /** Inputs of the action that it takes, besides those that say which project is meant. */
  readonly inputs: readonly string[];
}

/** Which project is meant, and where this host keeps its files: every command takes these. */
export const PROJECT_INPUTS = ['working-directory', 'compose-files', 'project-name', 'env-file', 'state-dir'] as const;

export const SHELL_COMMAND_TABLE: Readonly<Record<ShellCommandName, ShellCommandSpec>> = {
  status: {
    name: 'status',
    purpose:
      'Shows what is live and since when, the releases there are to go back to, who holds the lock, and what someone changed by hand.',
    inputs: ['service'],
  },
  history: {
    name: 'history',
    purpose: 'Shows the last changes: what, how it ended, who did it, and how long it took.',
    inputs: ['service'],
  },
  cancel: {
    name: 'cancel',
    purpose: 'Asks the run that holds the lock to end, as cancelling its job does, and waits for it.',
    inputs: ['reason'],
  },
  unlock: {
    name: 'unlock',
    purpose: 'Takes the lock away from a run that is gone; from one that is alive only with --force.',
    inputs: ['force'],
  },
  recover: {
    name: 'recover',
    purpose: 'Finishes or undoes what a killed run left, and does nothing else.',
    inputs: ['lock-timeout'],
  },
  uninstall: {
    name: 'uninstall',
    purpose:
      'Removes what Rolling Restart keeps on the engine for the project; the services run on. Shows the plan, and needs --yes.',
    inputs: ['lock-timeout', 'force'],
  },
};
