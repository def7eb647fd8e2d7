/** The runner's side of it: inputs, outputs, summary, annotations. What is done is done in record.mjs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApi } from '../github-api.mjs';
import { annotate, input, output, summary } from '../runner.mjs';
import { checksums, recordRelease } from './record.mjs';

const { env } = process;
const images = JSON.parse(input('images'));

if (input('step') === 'subjects') {
  const file = join(env.RUNNER_TEMP, 'rolling-restart-subjects');
  writeFileSync(file, checksums(images));
  output('checksums', file);
  // Only a job with id-token: write has it.
  const attestable = (env.ACTIONS_ID_TOKEN_REQUEST_URL ?? '') !== '';
  output('attestable', attestable);
  if (!attestable) {
    annotate(
      'warning',
      'The image is not attested',
      'The calling job does not grant id-token: write and attestations: write. What is deployed is the same.',
    );
  }
} else {
  const attestation = input('attestation-url');
  const run = `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}/attempts/${env.GITHUB_RUN_ATTEMPT}`;
  const api = createApi({
    apiUrl: env.GITHUB_API_URL,
    repository: env.GITHUB_REPOSITORY,
    token: input('token'),
  });
  const pushed = input('pushed') !== '';
  const what = { tag: input('tag'), commit: input('commit'), images, run, pushed, ...(attestation && { attestation }) };
  const result = await recordRelease(what, api);
  const rows = Object.entries(images).map(([service, reference]) => `| ${service} | \`${reference}\` |`);
  const unattested = pushed ? 'Not attested.' : 'An earlier run has built it; attesting it was for that one.';
  const attested = attestation === '' ? unattested : `Attested: ${attestation}`;
  summary(['## Built once', '', '| Service | Image |', '| --- | --- |', ...rows, '', attested, ''].join('\n'));
  if ('url' in result) {
    output('recorded', result.url);
    const how = {
      made: 'Recorded beside the release',
      known: 'Recorded beside the release before',
      draft: 'Recorded in the draft of the release, and known once that is published',
    };
    summary(`\n${how[result.how]}: ${result.url}\n`);
  } else {
    annotate(
      'warning',
      'The image is not recorded beside the release',
      `${result.problem}. The deployment and the ledger of the host have it.`,
    );
    summary(`\nNot recorded beside the release: ${result.problem}.\n`);
  }
}
