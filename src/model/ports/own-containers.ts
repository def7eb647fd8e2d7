import type { Helper } from '../own-names.js';
import type { ExecResult } from './engine.js';

/**
 * Containers that Rolling Restart itself runs, such as the managed edge: found by labels, given files, used as tools.
 * Implemented in `src/engine`. Errors as in `Engine`; "already so" is success.
 */
export interface OwnContainers {
  /** Those that carry all of these labels, running or not. */
  findByLabels(labels: Readonly<Record<string, string>>): Promise<readonly OwnContainer[]>;
  /** Writes one file that everybody may read, into a container that may be stopped; a folder of it has to exist. */
  putFile(container: string, path: string, content: Buffer): Promise<void>;
  /** Undefined when there is no such file. */
  readFile(container: string, path: string): Promise<Buffer | undefined>;
  /** Makes a helper container, waits for its command to end, and removes it. */
  runTool(options: ToolOptions): Promise<ExecResult>;
  /** Gone already is success. */
  removeNetwork(name: string): Promise<void>;
  removeVolume(name: string): Promise<void>;
  /** @returns whether the engine has a network of that name whose containers find each other by name, and its IPv6 */
  network(name: string): Promise<{ readonly userDefined: boolean; readonly ipv6: boolean } | undefined>;
}

export interface OwnContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly running: boolean;
  readonly exitCode: number;
  /** Addresses by the name of the network. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Ports of the host that lead to it now, by its own port. */
  readonly hostPorts: readonly { readonly container: number; readonly host: number; readonly ip: string }[];
}

export interface ToolOptions {
  readonly image: string;
  readonly command: readonly string[];
  /** `host`, `none` or `container:ID`. */
  readonly networkMode: string;
  readonly user: string;
  /** `/on/the/host:/in/the/container` */
  readonly binds: readonly string[];
  readonly capabilities: readonly string[];
  readonly helper: Omit<Helper, 'lifeMs'>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}
