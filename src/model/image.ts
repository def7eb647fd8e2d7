import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical.js';
import { omit } from './omit.js';

/** What the engine says about an image, reduced to what decides whether two images run the same. */
export interface ImageFacts {
  /** The engine's id: config digest with the graph-driver store, index digest with the containerd store. */
  readonly id: string;
  readonly tags: readonly string[];
  /** `name@sha256:…` as a registry knows it; with the graph-driver store empty for an image that was only built here. */
  readonly digests: readonly string[];
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly createdAt: string;
  /** Where a container of it gets volumes without a name, as its `VOLUME` writes it. */
  readonly volumes: readonly string[];
}

/** The parts of an image inspect answer that decide how a container made from it behaves. */
export interface ImageContent {
  readonly architecture: string;
  readonly os: string;
  readonly variant: string | undefined;
  /** Uncompressed layer digests (diff ids). */
  readonly layers: readonly string[];
  /** Env, Cmd, Entrypoint, WorkingDir, User, Labels, Healthcheck, … as the engine gives them. */
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * The identity of an image: a hash of its layers and its run configuration.
 *
 * The engine's `.Id` cannot serve: with the containerd image store it is the digest of an index that holds a provenance
 * attestation with time stamps, so a fully cached rebuild gets another id (measured on Engine 28.5.2). Layers and run
 * configuration are the same with both stores. Time stamps, history and the builder's own fields are left out.
 */
export function imageFingerprint(content: ImageContent): string {
  const config = omit(content.config, 'Hostname', 'Domainname', 'Image', 'ArgsEscaped');
  const significant = Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value)));
  const text = canonicalJson({
    architecture: content.architecture,
    os: content.os,
    variant: content.variant ?? '',
    layers: content.layers,
    config: significant,
  });
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Engines differ in whether they write an unset field as null, '', false, [], {} or not at all. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
