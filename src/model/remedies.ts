/**
 * What changes more than the service, and is done only when a person asks for it by name (input `remedies`). Runbook,
 * Troubleshooting: free a port, restart the Docker daemon.
 */
export const REMEDY_NAMES = ['free-port', 'restart-docker'] as const;
export type RemedyName = (typeof REMEDY_NAMES)[number];

/** Who has a port of the host, and can be asked to end. */
export type PortHolder =
  | {
      readonly kind: 'process';
      readonly pid: number;
      /** Name of its program. */
      readonly name: string;
      /** When it was started, in clock ticks since the boot: tells it from a later process of the same number. */
      readonly started: string;
    }
  | { readonly kind: 'container'; readonly id: string; readonly name: string };

/** @returns the holder as people read it */
export function describeHolder(holder: PortHolder): string {
  switch (holder.kind) {
    case 'process':
      return `process ${holder.name} (pid ${holder.pid})`;
    case 'container':
      return `container ${holder.name}`;
  }
}
