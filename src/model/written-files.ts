/** What `docker diff` says of a container: a path, and whether it was changed (0), added (1) or deleted (2). */
export interface FilesystemChange {
  readonly path: string;
  readonly kind: 0 | 1 | 2;
}

/**
 * @param mountPoints what is mounted there is not in the container's writable layer
 * @returns files that only the writable layer of a container has, or has otherwise than its image, sorted; what is deleted
 * in it is lost by nobody
 */
export function writtenFiles(changes: readonly FilesystemChange[], mountPoints: readonly string[]): readonly string[] {
  const paths = changes.filter(({ kind }) => kind !== 2).map(({ path }) => path);
  const all = new Set(changes.map(({ path }) => path));
  const isFolder = (path: string): boolean => [...all].some((other) => other.startsWith(`${path}/`));
  const isMount = (path: string): boolean =>
    mountPoints.some((point) => path === point || path.startsWith(`${point}/`) || point.startsWith(`${path}/`));
  return paths.filter((path) => !isFolder(path) && !isMount(path)).sort();
}
