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

  text(): string {
    const kept = this.#chunks.join('');
    return kept.length > this.limit ? kept.slice(-this.limit) : kept;
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
