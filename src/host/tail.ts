/** Keeps the end of a text that may be endless, in bounded memory. */
export class Tail {
  readonly #chunks: string[] = [];
  #length = 0;

  /** @param limit characters kept; `Infinity` keeps everything */
  constructor(private readonly limit: number) {}

  add(text: string): void {
    this.#chunks.push(text);
    this.#length += text.length;
    for (;;) {
      const [first] = this.#chunks;
      if (first === undefined || this.#length - first.length < this.limit) return;
      this.#chunks.shift();
      this.#length -= first.length;
    }
  }

  /** A line that lost its beginning is left out: half of a secret is not recognised any more. */
  text(): string {
    const all = this.#chunks.join('');
    if (all.length <= this.limit) return all;
    const kept = all.slice(all.length - this.limit);
    return kept.slice(kept.indexOf('\n') + 1);
  }
}

/** @returns the last lines of a text that say something, for an excerpt under an error */
export function lastLines(text: string, count: number): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-count);
}
