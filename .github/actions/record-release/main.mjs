/** The runner's side of it: inputs, outputs, summary, annotations. What is done is done in record.mjs. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checksums, createApi, recordRelease } from './record.mjs';

const { env } = process;
const input = (name) => (env[`INPUT_${name.toUpperCase()}`] ?? '').trim();
const output = (name, value) => appendFileSync(env.GITHUB_OUTPUT, `${name}=${value}\n`);
const summary = (line) => appendFileSync(env.GITHUB_STEP_SUMMARY, `${line}\n`);

/** https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands: `%` and line ends are escaped. */
function warn(title, message) {
  const escaped = message.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  console.log(`::warning title=${title}::${escaped}`);
}

const images = JSON.parse(input('images'));

if (input('step') === 'subjects') {
  const file = join(env.RUNNER_TEMP, 'rolling-restart-subjects');
  writeFileSync(file, checksums(images));
  output('checksums', file);
  // Only a job with id-token: write has it.
  const attestable = (env.ACTIONS_ID_TOKEN_REQUEST_URL ?? '') !== '';
  output('attestable', attestable);
  if (!attestable) {
    warn(
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
  const what = { tag: input('tag'), commit: input('commit'), images, run, ...(attestation && { attestation }) };
  const result = await recordRelease(what, api);
  summary(`## Built once\n\n| Service | Image |\n| --- | --- |`);
  for (const [service, reference] of Object.entries(images)) summary(`| ${service} | \`${reference}\` |`);
  summary('');
  summary(attestation === '' ? 'Not attested.' : `Attested: ${attestation}`);
  if ('url' in result) {
    output('recorded', result.url);
    summary(`Recorded beside the release: ${result.url}`);
  } else {
    warn(
      'The image is not recorded beside the release',
      `${result.problem}. The deployment and the ledger of the host have it.`,
    );
    summary(`Not recorded beside the release: ${result.problem}.`);
  }
}
