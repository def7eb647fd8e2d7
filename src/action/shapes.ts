/**
 * Shapes of names that are handed to git, Compose and the engine. They are checked before anything begins because a value
 * that starts with `-` is read as an option by the commands it reaches.
 */
import { isRepository } from '../model/recorded-image.js';

/** Grammar of github.com/distribution/reference; a bare image id is accepted as well. */
const HOST = /(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?/.source;
const PART = /[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*/.source;
const TAG = /:\w[\w.-]{0,127}/.source;
const DIGEST = /@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,}/.source;
const REFERENCE = new RegExp(`^(?:${HOST}/)?${PART}(?:/${PART})*(?:${TAG})?(?:${DIGEST})?$`);
const IMAGE_ID = /^sha256:[0-9a-f]{64}$/;

/** @returns what is wrong with an image reference, or undefined */
export function imageReferenceProblem(text: string): string | undefined {
  if (text.length <= 512 && (IMAGE_ID.test(text) || REFERENCE.test(text))) return undefined;
  return `"${text}" is not an image reference; they look like registry.example.com/team/app:v1.2.3`;
}

/** @returns what is wrong with a repository of images, or undefined */
export function repositoryProblem(text: string): string | undefined {
  if (text.length <= 255 && isRepository(text)) return undefined;
  return `"${text}" is not a repository in a registry; they look like ghcr.io/acme/roma, without tag or digest`;
}

/** @returns what is wrong with a git revision, or undefined */
export function refProblem(text: string): string | undefined {
  if (text === '') return 'a git ref is missing';
  if (text.startsWith('-')) return `"${text}" begins with "-": git would read it as an option`;
  if (/[\0-\x20\x7f:?*[\\]|\.\.|@\{/.test(text) || text.length > 255) {
    return `"${text}" is not a git ref; give a branch, a tag or a commit`;
  }
  return undefined;
}

/** @returns what is wrong with a service name, or undefined (compose-spec: `^[a-zA-Z0-9._-]+$`) */
export function serviceProblem(text: string): string | undefined {
  return /^[a-zA-Z0-9._][a-zA-Z0-9._-]*$/.test(text) ? undefined : `"${text}" is not a service name`;
}

/** @returns what is wrong with a compose project name, or undefined (compose-spec: lower case, digits, `-`, `_`) */
export function projectNameProblem(text: string): string | undefined {
  return /^[a-z0-9][a-z0-9_-]*$/.test(text)
    ? undefined
    : `"${text}" is not a project name; use lower-case letters, digits, "-" and "_", beginning with a letter or digit`;
}

/** It is one line of a record and of a log. */
export function reasonProblem(text: string): string | undefined {
  if (text.length > 200) return `has ${text.length} characters; give at most 200`;
  return /[\r\n]/.test(text) ? 'has more than one line; give one' : undefined;
}
