import type { Excerpt } from '../../model/errors.js';
import type { Clock } from '../../model/ports/clock.js';
import type { ProbeAnswer } from '../../model/ports/probe.js';
import { formatDuration } from '../../model/units.js';

/** Answers that differ from the one before, kept for an error; a service that boots gives a few of them. */
const KEPT = 6;

interface Said {
  readonly probe: string;
  readonly said: string;
  readonly reached: boolean;
  /** Milliseconds after the first question. */
  readonly firstMs: number;
  lastMs: number;
  times: number;
}

/** What one container answered when it was asked whether it is ready: the last answers, equal ones told once. */
export class ProbeHistory {
  private readonly answers: Said[] = [];
  private asked = 0;
  private everReached = false;
  private readonly began: number;

  constructor(private readonly clock: Clock) {
    this.began = clock.monotonic();
  }

  add(probe: string, { said, reached }: ProbeAnswer, atMs = this.clock.monotonic() - this.began): void {
    this.asked += 1;
    if (reached) this.everReached = true;
    const last = this.answers.at(-1);
    if (last?.probe === probe && last.said === said) {
      last.times += 1;
      last.lastMs = atMs;
      return;
    }
    this.answers.push({ probe, said, reached, firstMs: atMs, lastMs: atMs, times: 1 });
    if (this.answers.length > KEPT) this.answers.shift();
  }

  /** @returns the last answer, for the log of progress; undefined when it was never asked */
  get last(): string | undefined {
    return this.answers.at(-1)?.said;
  }

  /** True when it was asked and no packet ever came to it: that is not the service's fault. */
  get unreachable(): boolean {
    return this.asked > 0 && !this.everReached;
  }

  /** @param container its name */
  excerpt(container: string): readonly Excerpt[] {
    if (this.answers.length === 0) return [];
    const lines = this.answers.flatMap(({ probe, said, firstMs, lastMs, times }) => {
      const [first = '', ...rest] = said.split('\n');
      const until = times === 1 ? '' : ` to ${formatDuration(lastMs)}, ${times} times`;
      return [`after ${formatDuration(firstMs)}${until}: ${probe}: ${first}`, ...rest.map((line) => `    ${line}`)];
    });
    return [{ title: `readiness of ${container}: what it answered last, of ${this.asked} questions`, lines }];
  }
}
