/** The image that was built once for a commit, and is deployed from its registry whenever that commit is deployed again. */

/** Stands in `push-to` for the name of the service. */
const SERVICE = '{service}';

/** @returns the repository of a service's image, as `push-to` has it: `ghcr.io/acme/roma` */
export function repositoryFor(pushTo: string, service: string): string {
  return pushTo.replaceAll(SERVICE, service);
}

/** @returns whether each service has a repository of its own */
export function tellsServicesApart(pushTo: string): boolean {
  return pushTo.includes(SERVICE);
}

/** @returns what a person finds it by in the registry; it is deployed by its digest, since a tag can be moved */
export function pushedAs(repository: string, commit: string): string {
  return `${repository}:git-${commit}`;
}

/** @returns whether a reference names an image of the repository by its digest, and so for good */
export function isPinned(repository: string, reference: string | undefined): reference is string {
  if (reference?.startsWith(`${repository}@`) !== true) return false;
  return /^sha256:[0-9a-f]{64}$/.test(reference.slice(repository.length + 1));
}

/**
 * A repository as the registry's rules have it (distribution/reference): lower case, its registry named, neither tag nor
 * digest. Without a registry the engine would push to Docker Hub, which nobody means who wrote a bare name.
 */
export function isRepository(pushTo: string): boolean {
  const [registry = '', ...path] = repositoryFor(pushTo, 'service').split('/');
  return (
    path.length > 0 &&
    (/[.:]/.test(registry) || registry === 'localhost') &&
    /^[\w.-]+(?::\d+)?$/.test(registry) &&
    path.every((part) => /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/.test(part))
  );
}
