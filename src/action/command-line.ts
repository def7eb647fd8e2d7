import { Command, Option } from 'commander';
import { PROCEDURES } from '../model/request.js';
import { INPUTS, type InputSpec } from './input-table.js';

/** What a person typed, as inputs of the action. */
export interface CommandLine {
  readonly inputs: ReadonlyMap<string, string>;
  readonly json: boolean;
  readonly verbose: boolean;
}

/**
 * `rolling-restart code-update --service roma --watch 5m`: a command for each procedure, an option for each input, from
 * the same table as the action. Wrong usage and --help end the process, as people expect of a command.
 */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const program: Command = new Command('rolling-restart');
  program
    .description('Changes what runs on a Docker Compose host, safely.')
    .showHelpAfterError()
    .enablePositionalOptions();
  const typed: CommandLine[] = [];
  for (const procedure of PROCEDURES) {
    const command = program.command(procedure);
    for (const spec of INPUTS) {
      if (spec.name !== 'procedure' && (spec.procedures === 'all' || spec.procedures.includes(procedure))) {
        command.addOption(optionOf(spec));
      }
    }
    command.option('--json', 'print the report as JSON to stdout').option('--verbose', 'show every call to the engine');
    command.action((options: Readonly<Record<string, unknown>>) => {
      const named = Object.entries(command.opts()).map(([key, value]) => [kebab(key), String(value)] as const);
      typed.push({
        inputs: new Map([...named.filter(([name]) => name !== 'json' && name !== 'verbose'), ['procedure', procedure]]),
        json: options['json'] === true,
        verbose: options['verbose'] === true,
      });
    });
  }
  program.parse([...argv]);
  const [line] = typed;
  if (line === undefined) return program.help({ error: true });
  return line;
}

function optionOf(spec: InputSpec): Option {
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
