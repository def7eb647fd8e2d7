/**
 * A copy of this repository's workflows that act can execute. act 0.2.89 is older than some of the platform, so four
 * things are rewritten, on the copy only; the originals are judged by the official parser.
 *
 *   - a job of a public workflow that calls another one by `$/.github/workflows/FILE` becomes the job of that workflow,
 *     with what it was given in the place of `inputs` and `secrets`: act ends the whole run when a called workflow fails,
 *     so that what comes after a failure (the summary, the hosts that are not begun) would not be seen
 *   - `uses: $/PATH` becomes `uses: OWNER/NAME/PATH@COMMIT`, which is what the runner makes of it
 *   - `queue:` in `concurrency` goes (act runs one job at a time and knows no groups)
 *   - `deployment:` in `environment` goes (act knows no environments)
 */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseDocument, stringify } from 'yaml';
import { projectRoot } from './files.mjs';
import { SUBFOLDER_ACTIONS } from './workflow-model.mjs';

/** What the example callers name this repository, and the commit they pin. */
export const EXAMPLE_REPOSITORY = 'OWNER/rolling-restart';
export const EXAMPLE_COMMIT = '0'.repeat(40);

/**
 * @param {string} text of a workflow of this repository
 * @param {{ repository?: string, commit?: string }} [at] what `$/` stands for
 */
export function transformForAct(text, { repository = EXAMPLE_REPOSITORY, commit = EXAMPLE_COMMIT } = {}) {
  return text
    .replace(/^(\s*(?:- )?uses: )\$\/(\S+)/gm, (_, key, path) => `${key}${repository}/${path}@${commit}`)
    .replace(/^ *queue: .*\n/gm, '')
    .replace(/^ *deployment: .*\n/gm, '');
}

const CALLED = '$/.github/workflows/';

/**
 * Puts the job of a called workflow in the place of each job that calls one of this repository.
 *
 * @param {string} text of a workflow of this repository
 * @param {(file: string) => string} read gives the text of another one
 */
export function inlineCalls(text, read) {
  if (!text.includes(`uses: ${CALLED}`)) return text;
  const workflow = parse(text);
  for (const [id, job] of Object.entries(workflow.jobs)) {
    if (!job.uses?.startsWith(CALLED)) continue;
    const file = job.uses.slice(CALLED.length);
    const called = parse(read(file));
    const [inner, ...more] = Object.values(called.jobs);
    if (inner === undefined || more.length > 0) throw new Error(`${file} has not exactly one job`);
    const inputs = Object.entries(called.on.workflow_call.inputs);
    const values = {
      inputs: { ...Object.fromEntries(inputs.map(([name, input]) => [name, input.default ?? ''])), ...job.with },
      secrets: job.secrets ?? {},
    };
    const { if: guard, ...rest } = replaceContexts(inner, values);
    // Without a status function in them act adds success() by itself, as GitHub does.
    const conditions = [job.if, guard].filter((condition) => condition !== undefined);
    workflow.jobs[id] = { ...rest, needs: job.needs, if: conditions.map((one) => `(${one})`).join(' && ') };
  }
  return stringify(workflow, { lineWidth: 0 });
}

/** Every `inputs.X` and `secrets.X` in expressions, however deep, by what stands for it where the caller is. */
function replaceContexts(node, values) {
  const within = (expression) =>
    expression.replace(/\b(inputs|secrets)\.([\w-]+)/g, (_, context, name) => asExpression(values[context][name]));
  if (typeof node === 'string') return node.replace(/\$\{\{[^]*?\}\}/g, within);
  if (Array.isArray(node)) return node.map((item) => replaceContexts(item, values));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, key === 'if' ? within(value) : replaceContexts(value, values)]),
  );
}

function asExpression(value) {
  if (typeof value !== 'string') return value === undefined ? "''" : String(value);
  const whole = /^\$\{\{ ([^]*) \}\}$/.exec(value);
  return whole === null ? `'${value.replaceAll("'", "''")}'` : `(${whole[1]})`;
}

/**
 * Lays the transformed workflows, the sub-folder actions and the bundle into a folder that stands for this repository
 * at the commit that callers name.
 *
 * @param {string} target an empty folder
 * @param {{ bundle?: string, nested?: boolean, commit?: string }} [options] `bundle`: folder that is laid as `dist/`; default this
 *   repository's own. `nested`: calls of other workflows stay calls, which act carries out as long as none fails. `commit`: the
 *   commit that the folder is
 */
export function layRepositoryForAct(target, { bundle = join(projectRoot, 'dist'), nested = false, commit } = {}) {
  const workflows = join('.github', 'workflows');
  mkdirSync(join(target, workflows), { recursive: true });
  for (const name of readdirSync(join(projectRoot, workflows))) {
    const text = readFileSync(join(projectRoot, workflows, name), 'utf8');
    const called = (file) => readFileSync(join(projectRoot, workflows, file), 'utf8');
    writeFileSync(
      join(target, workflows, name),
      transformForAct(nested ? text : inlineCalls(text, called), { commit }),
    );
  }
  cpSync(join(projectRoot, SUBFOLDER_ACTIONS), join(target, SUBFOLDER_ACTIONS), { recursive: true });
  if (!existsSync(join(bundle, 'main.js'))) throw new Error(`no bundle in ${bundle}: run \`npm run build\``);
  cpSync(bundle, join(target, 'dist'), { recursive: true });
}

/**
 * A caller for one repository: the example's, with some of what it passes replaced.
 *
 * @param {string} text of an example caller
 * @param {Readonly<Record<string, string | number | boolean>>} replaced inputs of the called workflow
 * @param {string} event that the caller runs on as well, if it does not yet
 */
export function fillCaller(text, replaced, event) {
  const document = parseDocument(text);
  if (!document.hasIn(['on', event])) document.setIn(['on', event], null);
  for (const job of document.get('jobs').items) {
    for (const [name, value] of Object.entries(replaced)) job.value.setIn(['with', name], value);
  }
  return document.toString({ lineWidth: 0 });
}

/**
 * Lays a stand-in for actions/upload-artifact that copies files into a folder, one folder per artifact.
 *
 * @param {string} target an empty folder
 * @param {string} artifacts where the artifacts go
 */
export function layUploadArtifact(target, artifacts) {
  mkdirSync(target, { recursive: true });
  writeFileSync(
    join(target, 'action.yml'),
    stringify({
      name: 'Upload',
      description: 'Copies what is given to a folder',
      inputs: { name: { required: true }, path: { required: true }, 'if-no-files-found': { default: 'warn' } },
      outputs: { 'artifact-url': { value: '${{ steps.copy.outputs.artifact-url }}' } },
      runs: {
        using: 'composite',
        steps: [
          {
            id: 'copy',
            shell: 'bash',
            env: { NAME: '${{ inputs.name }}', PATHS: '${{ inputs.path }}', ARTIFACTS: artifacts },
            run: [
              'mkdir -p "$ARTIFACTS/$NAME"',
              'while read -r path; do',
              '  if [ -n "$path" ]; then cp -r "$path" "$ARTIFACTS/$NAME/"; fi',
              'done <<< "$PATHS"',
              'echo "artifact-url=file://$ARTIFACTS/$NAME" >> "$GITHUB_OUTPUT"',
              '',
            ].join('\n'),
          },
        ],
      },
    }),
  );
}

/**
 * Lays a stand-in for actions/attest-build-provenance that keeps the list of subjects as an artifact: signing needs GitHub.
 * With `ATTESTATIONS=none` in its environment it fails, as the action does where the plan has no attestations.
 *
 * @param {string} target an empty folder
 * @param {string} artifacts where the list goes
 */
export function layAttest(target, artifacts) {
  mkdirSync(target, { recursive: true });
  writeFileSync(
    join(target, 'action.yml'),
    stringify({
      name: 'Attest',
      description: 'Copies the list of subjects to a folder',
      inputs: { 'subject-checksums': { default: '' }, 'subject-path': { default: '' } },
      outputs: { 'attestation-url': { value: '${{ steps.copy.outputs.attestation-url }}' } },
      runs: {
        using: 'composite',
        steps: [
          {
            id: 'copy',
            shell: 'bash',
            env: {
              SUBJECTS: '${{ inputs.subject-checksums }}',
              FILES: '${{ inputs.subject-path }}',
              ARTIFACTS: artifacts,
            },
            run: [
              'if [ "${ATTESTATIONS:-}" = none ]; then echo "Feature not available for this plan" >&2; exit 1; fi',
              'mkdir -p "$ARTIFACTS/attestation"',
              'if [ -n "$SUBJECTS" ]; then cat "$SUBJECTS"; else sha256sum $FILES; fi > "$ARTIFACTS/attestation/subjects"',
              'echo "attestation-url=https://github.test/attestations/1" >> "$GITHUB_OUTPUT"',
              '',
            ].join('\n'),
          },
        ],
      },
    }),
  );
}

/**
 * Lays a stand-in for actions/setup-node, after which Node is the one of the path.
 *
 * @param {string} target an empty folder
 */
export function laySetupNode(target) {
  mkdirSync(target, { recursive: true });
  const inputs = { 'node-version': { required: true }, 'package-manager-cache': { default: 'true' } };
  const runs = { using: 'composite', steps: [{ shell: 'bash', run: 'node --version' }] };
  const description = 'Says which Node there is';
  writeFileSync(join(target, 'action.yml'), stringify({ name: 'Node', description, inputs, runs }));
}

/**
 * The commit of an action that a workflow pins, as `OWNER/NAME@COMMIT`.
 *
 * @param {string} workflow file in `.github/workflows/`
 * @param {string} action
 */
export function pinnedReference(workflow, action) {
  const text = readFileSync(join(projectRoot, '.github', 'workflows', workflow), 'utf8');
  const match = new RegExp(`uses: (${action}@[0-9a-f]{40})`).exec(text);
  if (match === null) throw new Error(`${workflow} does not use ${action}`);
  return match[1];
}
