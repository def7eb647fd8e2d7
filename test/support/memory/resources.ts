import type { Attributes } from '../../../src/model/kept-definitions.js';
import type { EventLog } from './event-log.js';
import { digestOf } from './ids.js';

type Labels = Readonly<Record<string, string>>;

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly labels: Labels;
  /** The first two numbers of its addresses. */
  readonly prefix: string;
  /** Attributes of its definition beyond the labels, as `EngineResource` names them. */
  readonly attributes: Attributes;
}

export interface Volume {
  readonly name: string;
  readonly labels: Labels;
  readonly attributes: Attributes;
  /** Contents by path from its root; for records. */
  readonly files: Map<string, Buffer>;
}

/** Volumes by name: making one that is there changes nothing. */
export class Volumes {
  private readonly all = new Map<string, Volume>();

  constructor(private readonly events: EventLog) {}

  get(name: string): Volume | undefined {
    return this.all.get(name);
  }

  list(): readonly Volume[] {
    return [...this.all.values()];
  }

  ensure(name: string, labels: Labels = {}, attributes: Attributes = { driver: 'local' }): Volume {
    const there = this.all.get(name);
    if (there !== undefined) return there;
    const volume = { name, labels: { ...labels }, attributes, files: new Map<string, Buffer>() };
    this.all.set(name, volume);
    this.events.add({ type: 'volume', action: 'create', id: name, labels });
    return volume;
  }

  remove(name: string): void {
    if (this.all.delete(name)) this.events.add({ type: 'volume', action: 'destroy', id: name, labels: {} });
  }
}

/** Networks by name. Each has an id of its own: one that was removed is not the one that is made again. */
export class Networks {
  private readonly all = new Map<string, Network>();
  private made = 0;

  create(name: string, labels: Labels, attributes: Attributes = {}): Network {
    this.made += 1;
    const network = {
      id: digestOf(`network ${name} ${this.made}`),
      name,
      labels,
      prefix: `172.${17 + this.made}`,
      attributes,
    };
    this.all.set(name, network);
    return network;
  }

  /** By name or id. */
  find(key: string): Network | undefined {
    return this.all.get(key) ?? [...this.all.values()].find(({ id }) => id === key);
  }

  remove(name: string): void {
    this.all.delete(name);
  }

  list(): readonly Network[] {
    return [...this.all.values()];
  }
}
