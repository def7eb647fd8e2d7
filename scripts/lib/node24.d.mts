export function ensureNode24(options?: { log?: (line: string) => void }): Promise<string>;
