export interface Registry {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly stop: () => Promise<void>;
}
export function startRegistry(options?: {
  port?: number;
  auth?: { username: string; password: string };
}): Promise<Registry>;
