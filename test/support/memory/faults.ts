import { engineFailure, EngineError } from '../../../src/engine/failures.js';

/** Where the engine of the world answers, as in DOCKER_HOST. */
export const MEMORY_HOST = 'unix:///in/memory.sock';

interface Planned {
  readonly call: string;
  readonly kind: 'refuse' | 'lose';
  readonly status: number;
  readonly message: string;
}

/** What goes wrong with the engine, as a test plans it. Containers run on while their engine does not answer. */
export class Faults {
  /** Awaited before each call and each step of Compose, named as `startContainer web-1`: tests interleave and kill here. */
  before: (call: string) => Promise<void> = async () => undefined;

  private state: 'up' | 'frozen' | 'down' = 'up';
  private waiting: (() => void)[] = [];
  private readonly planned: Planned[] = [];

  /** From now on calls get no answer until `thaw`: they run into their deadlines. */
  freeze(): void {
    this.state = 'frozen';
  }

  /** Nothing listens at the socket. */
  goDown(): void {
    this.state = 'down';
  }

  /** Answers again; calls that still wait are carried out. */
  thaw(): void {
    this.state = 'up';
    for (const go of this.waiting.splice(0)) go();
  }

  /** The next such call is answered with an error, and does nothing. @param call name of the member, such as `startContainer` */
  refuse(call: string, message = 'refused by the test', status = 500): void {
    this.planned.push({ call, kind: 'refuse', status, message });
  }

  /** The next such call is carried out, and its answer does not arrive. */
  loseAnswer(call: string): void {
    this.planned.push({ call, kind: 'lose', status: 0, message: '' });
  }

  get isFrozen(): boolean {
    return this.state === 'frozen';
  }

  /**
   * Carries a call out with what is planned for it.
   * @param member name of the member @param what as in "the engine could not …" @param target whom it is about
   */
  async apply<T>(member: string, what: string, target: string, perform: () => Promise<T> | T): Promise<T> {
    await this.before(`${member} ${target}`.trim());
    await this.reached(what);
    const index = this.planned.findIndex(({ call }) => call === member);
    const [fault] = index === -1 ? [] : this.planned.splice(index, 1);
    if (fault?.kind === 'refuse') throw answer(what, fault.status, fault.message);
    const result = await perform();
    await this.reached(what);
    if (fault?.kind === 'lose') throw noConnection(what, 'ECONNRESET', 'socket hang up');
    return result;
  }

  private async reached(what: string): Promise<void> {
    while (this.state === 'frozen') await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.state === 'down') throw noConnection(what, 'ECONNREFUSED', 'connect ECONNREFUSED /in/memory.sock');
  }
}

/** The engine's refusal. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** @returns what the adapter throws for the engine's refusal */
export function answer(what: string, status: number, message: string): EngineError {
  const failure = engineFailure(what, Object.assign(new Error(message), { statusCode: status }), MEMORY_HOST);
  if (failure instanceof EngineError) return failure;
  throw failure;
}

function noConnection(what: string, code: string, message: string): Error {
  return engineFailure(what, Object.assign(new Error(message), { code }), MEMORY_HOST);
}
