import { Command, Option } from 'commander';
import { PROCEDURES, type ProcedureName } from '../model/request.js';
import {
  PROJECT_INPUTS,
  SHELL_COMMAND_TABLE,
  SHELL_COMMANDS,
  SHELL_OPTIONS,
  type ShellCommandName,
} from '../model/shell-command.js';
import { INPUTS, type InputSpec } from './input-table.js';

/** What a person typed, as inputs of the action; and the command, when it is one that only a shell has. */
export interface CommandLine {
  readonly inputs: ReadonlyMap<string, string>;
  readonly command: { readonly name: ShellCommandName; readonly given: ReadonlyMap<string, string> } | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
}

type Purposes = Readonly<Record<ProcedureName, { readonly purpose: string }>>;

/**
 * `rolling-restart code-update --service roma --watch 5m`: a command for each procedure, an option for each input, from
 * the same table as the action. Wrong usage and --help end the process, as people expect of a command.
 * @param purposes what each procedure is for, for `--help`
 */
export function readCommandLine(argv: readonly string[], purposes: Purposes): CommandLine {
  const program: Command = new Command('rolling-restart');
  program
    .description('Changes what runs on a Docker Compose host, safely.')
    .showHelpAfterError('(--help lists what there is)')
    .enablePositionalOptions();
  const typed: CommandLine[] = [];
  program.commandsGroup('Procedures:');
  for (const procedure of PROCEDURES) {
    const command = program.command(procedure).description(purposes[procedure].purpose);
    for (const spec of INPUTS) {
      if (spec.name !== 'procedure' && (spec.procedures === 'all' || spec.procedures.includes(procedure))) {
        command.addOption(optionOf(spec));
      }
    }
    output(command, 'print the report as JSON to stdout');
    command.action((options: Readonly<Record<string, unknown>>) => {
      typed.push({ ...lineOf(named(command), procedure), command: undefined, ...outputOf(options) });
    });
  }
  program.commandsGroup('Looking, and the lock:');
  for (const name of SHELL_COMMANDS) {
    const command = shellCommand(program, name);
    command.action((options: Readonly<Record<string, unknown>>) => {
      const isOwn = ([option]: Named[number]): boolean => SHELL_OPTIONS.some((spec) => spec.name === option);
      const given = new Map(named(command).filter(isOwn));
      const inputs = named(command).filter((one) => !isOwn(one));
      // Its inputs are read like those of a procedure that only looks.
      typed.push({ ...lineOf(inputs, 'check'), command: { name, given }, ...outputOf(options) });
    });
  }
  program.parse([...argv]);
  const [line] = typed;
  if (line === undefined) return program.help({ error: true });
  return line;
}

function shellCommand(program: Command, name: ShellCommandName): Command {
  const { purpose, inputs } = SHELL_COMMAND_TABLE[name];
  const command = program.command(name).summary(purpose).description(purpose);
  for (const spec of INPUTS) {
    if ([...PROJECT_INPUTS, ...inputs].includes(spec.name)) command.addOption(optionOf(spec));
  }
  for (const { commands, ...spec } of SHELL_OPTIONS) if (commands.includes(name)) command.addOption(optionOf(spec));
  output(command, 'print what it found as JSON to stdout');
  return command;
}

function output(command: Command, json: string): void {
  command.option('--json', json).option('--verbose', 'show every call to the engine');
}

function outputOf(options: Readonly<Record<string, unknown>>): Pick<CommandLine, 'json' | 'verbose'> {
  return { json: options['json'] === true, verbose: options['verbose'] === true };
}

type Named = readonly (readonly [string, string])[];

function named(command: Command): Named {
  const given = Object.entries(command.opts()).map(([key, value]) => [kebab(key), String(value)] as const);
  return given.filter(([name]) => name !== 'json' && name !== 'verbose');
}

function lineOf(inputs: Named, procedure: string): Pick<CommandLine, 'inputs'> {
  return { inputs: new Map([...inputs, ['procedure', procedure]]) };
}

function optionOf(spec: Pick<InputSpec, 'name' | 'description' | 'default' | 'defaultText' | 'kind'>): Option {
  const words =
    spec.default === undefined
      ? spec.description
      : `${spec.description} (default: ${spec.defaultText ?? spec.default})`;
  // No default is handed to the parser: an option that was not typed is read like an input that was not given.
  const option = new Option(
    spec.kind === 'flag' ? `--${spec.name} [true|false]` : `--${spec.name} <${spec.kind}>`,
    words,
  );
  return spec.kind === 'flag' ? option.preset('true') : option;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
