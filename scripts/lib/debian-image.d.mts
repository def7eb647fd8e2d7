export function assembleImage(options: {
  readonly name: string;
  readonly packages: readonly string[];
  readonly suite?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly changes?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: (line: string) => void;
}): Promise<string>;
export interface ImageOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: (line: string) => void;
}
export function ensureHaproxy26Image(options?: ImageOptions): Promise<string>;
export function ensureCaddyImage(options?: ImageOptions): Promise<string>;
export function ensureRedisImage(options?: ImageOptions): Promise<string>;
