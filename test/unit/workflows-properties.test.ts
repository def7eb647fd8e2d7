import { describe, expect, it } from 'vitest';
import { HOST_FIELDS, MAX_HOSTS } from '../../.github/actions/deploy-chain/chain.mjs';
import {
  MAINTENANCE_PHASES,
  PUBLIC_WORKFLOWS,
  RED_OUTCOMES,
  SUBFOLDER_ACTION,
  readActionInputs,
} from '../../scripts/lib/workflow-model.mjs';
import { PHASES } from '../../src/model/maintenance.js';
import { RED_OUTCOMES as RED_IN_THE_ACTION } from '../../src/model/outcome.js';
import {
  EXAMPLE_WORKFLOWS,
  OWN_WORKFLOWS,
  readWorkflows,
  type Job,
  type Step,
  type WorkflowCall,
  type WorkflowFile,
} from '../support/workflow-files.js';

const own = readWorkflows(OWN_WORKFLOWS);
const examples = readWorkflows(EXAMPLE_WORKFLOWS);
const all = [...own, ...examples];
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;

/** What a workflow, and its caller, may do beyond reading; with the reason in the workflow. */
const PERMISSIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // GitHub says the pull requests of a commit to nobody else, where the repository is private.
  ...Object.fromEntries(
    [
      'deploy.yml',
      'deploy-approved.yml',
      'deploy-chain.yml',
      'deploy-hosts.yml',
      'deploy-staged.yml',
      'release.yml',
      'rollback.yml',
      'maintenance.yml',
    ].map((name) => [name, { contents: 'read', deployments: 'write', 'pull-requests': 'read', actions: 'read' }]),
  ),
  'emergency.yml': { contents: 'read', deployments: 'write', issues: 'write' },
  'slo-review.yml': { issues: 'write' },
  'plan.yml': { contents: 'read', 'pull-requests': 'write' },
};

/** Jobs that touch neither a host nor the repository, and so may do nothing at all. */
const MAY_NOTHING: Readonly<Record<string, readonly string[]>> = { 'deploy-chain.yml': ['list', 'summary'] };

/** Jobs that may more than the others of their workflow. */
const OF_ONE_JOB: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // They deploy nothing, and end the record of a run that was killed, as whoever takes the lock does.
  ...Object.fromEntries(
    ['announce', 'verify', 'complete'].map((id) => [
      `maintenance.yml/${id}`,
      { contents: 'read', deployments: 'write' },
    ]),
  ),
  'maintenance.yml/precheck': { contents: 'read', deployments: 'write', actions: 'read' },
  'release-project.yml/publish': { contents: 'write', 'id-token': 'write', attestations: 'write' },
};

/** Jobs that get what the calling job grants, and report what is missing; with the reason in the workflow. */
const AS_GRANTED: Readonly<Record<string, readonly string[]>> = { 'release.yml': ['record'] };

/** Those that run the action themselves, and those that call one of them for each host. */
const RUNNING = PUBLIC_WORKFLOWS.filter(({ chain }) => chain === undefined);
const CHAINS = PUBLIC_WORKFLOWS.flatMap((workflow) =>
  workflow.chain === undefined ? [] : [{ ...workflow, chain: workflow.chain }],
);

function find(files: readonly WorkflowFile[], name: string): WorkflowFile {
  const file = files.find((candidate) => candidate.name === name);
  if (file === undefined) throw new Error(`there is no ${name}`);
  return file;
}

function onlyJob(file: WorkflowFile): Job {
  const [job, ...more] = Object.values(file.jobs);
  if (job === undefined || more.length > 0) throw new Error(`${file.name} has not exactly one job`);
  return job;
}

/** The job that runs the action; where each phase has one, which come after it, the job of everything else. */
function runningJob(file: WorkflowFile): Job {
  const running = Object.values(file.jobs).find((job) =>
    job.steps?.some(({ uses }) => uses === `$/${SUBFOLDER_ACTION}`),
  );
  if (running === undefined) throw new Error(`no job of ${file.name} runs the action`);
  return running;
}

function callOf(file: WorkflowFile): WorkflowCall {
  if (file.on.workflow_call === undefined) throw new Error(`${file.name} cannot be called`);
  return file.on.workflow_call;
}

function stepThat(job: Job, what: string, is: (step: Step) => boolean): Step {
  const step = job.steps?.find(is);
  if (step === undefined) throw new Error(`no step ${what}`);
  return step;
}

describe.each(all.map((file) => [file.path.includes('examples') ? `example ${file.name}` : file.name, file] as const))(
  '%s',
  (_, file) => {
    const jobs = Object.values(file.jobs);
    const steps = jobs.flatMap(({ steps: list }) => list ?? []);

    it('grants nothing at the top and says for each job what it may', () => {
      const granted = own.includes(file) ? (AS_GRANTED[file.name] ?? []) : [];
      expect(file.permissions).toEqual(granted.length === 0 ? {} : undefined);
      for (const [id, job] of Object.entries(file.jobs)) {
        if (granted.includes(id)) {
          expect(job.permissions, id).toBeUndefined();
          expect(job['runs-on'], id).toContain('inputs.record-runner');
          continue;
        }
        const nothing = MAY_NOTHING[file.name]?.includes(id) === true;
        const more = OF_ONE_JOB[`${file.name}/${id}`] ?? PERMISSIONS[file.name] ?? { contents: 'read' };
        expect(job.permissions, id).toEqual(nothing ? {} : more);
      }
    });

    it('pins every action and workflow by commit, with the version beside it', () => {
      const used = [...jobs, ...steps].flatMap(({ uses }) => uses ?? []);
      expect(used.length).toBeGreaterThan(0);
      for (const uses of used) {
        if (uses.startsWith('$/')) continue;
        expect(uses).toMatch(PINNED);
        expect(file.text).toMatch(new RegExp(`uses: ${uses.replace(/[.]/g, '\\.')} # v\\d+`));
      }
    });

    it('puts no expression inside a script', () => {
      for (const { run } of steps) expect(run ?? '').not.toContain('${{');
    });

    it('leaves no credentials behind where it checks out', () => {
      for (const step of steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))) {
        expect(step.with).toMatchObject({ 'persist-credentials': false });
      }
    });

    it('ends every job that runs steps after some time', () => {
      for (const job of jobs.filter(({ steps: list }) => list !== undefined)) {
        expect(job['timeout-minutes']).toBeDefined();
      }
    });
  },
);

it('every workflow that can be called is known to the generator, and the other way round', () => {
  const callable = own.filter(({ on }) => 'workflow_call' in on).map(({ name }) => name);
  expect(callable.sort()).toEqual(PUBLIC_WORKFLOWS.map(({ file }) => file).sort());
});

describe.each(RUNNING.map((workflow) => [workflow.file, workflow] as const))('public %s', (name, workflow) => {
  const file = find(own, name);
  const job = runningJob(file);
  const call = callOf(file);
  const action = stepThat(job, 'runs the action', ({ uses }) => uses === `$/${SUBFOLDER_ACTION}`);
  const upload = stepThat(job, 'uploads', ({ uses }) => uses?.startsWith('actions/upload-artifact@') === true);

  it('runs one job at a time per host and project, cancels nothing and drops nothing that waits', () => {
    expect(job.concurrency).toMatchObject({ 'cancel-in-progress': false, queue: 'max' });
    expect(job.concurrency?.group).toMatch(
      /^\S.*\/\$\{\{ inputs\.runner \}\}\/\$\{\{ inputs\.project-name \|\| inputs\.working-directory \}\}$/,
    );
    expect(file).not.toHaveProperty('concurrency');
  });

  it('keeps code of forks away from the host', () => {
    expect(job.if).toContain('github.event.pull_request.head.repo.full_name == github.repository');
    expect(job.if).toContain('github.event.workflow_run.head_repository.full_name == github.repository');
  });

  it('makes no deployment record', () => {
    expect(job.environment).toEqual({ name: '${{ inputs.environment }}', deployment: false });
  });

  it('uploads report and evidence whatever happened, and does not fail for it', () => {
    expect(upload).toMatchObject({ if: 'always()', 'continue-on-error': true });
    expect(upload.with?.path).toContain('outputs.evidence-path');
    expect(upload.with?.path).toContain('outputs.report-path');
  });

  it('checks nothing out', () => {
    expect(file.text).not.toContain('actions/checkout');
  });

  it('hands every input of the action on, or says that it does not', () => {
    const names = readActionInputs().map((input) => input.name);
    const given = Object.keys(action.with ?? {});
    expect(names).toEqual(expect.arrayContaining(given));
    expect(names).toEqual(expect.arrayContaining([...workflow.leftOut]));
    expect([...new Set([...given, ...workflow.leftOut])].sort()).toEqual([...names].sort());
  });

  it('asks only for what it cannot know, and documents all of it', () => {
    const required = Object.entries(call.inputs).filter(([, input]) => input.required === true);
    const procedure = name === 'maintenance.yml' ? ['procedure'] : [];
    expect(required.map(([key]) => key).sort()).toEqual(['runner', ...procedure, ...workflow.required].sort());
    for (const { description } of Object.values(call.inputs)) expect(description).toMatch(/\w/);
    for (const { required: asked } of Object.values(call.secrets)) expect(asked).toBe(false);
  });

  it('gives the outcome, what is live where that may change, and the report', () => {
    const live =
      name === 'slo-review.yml' || name === 'plan.yml' ? [] : ['release', 'previous-release', 'image-digest'];
    const pushed = name === 'release.yml' ? ['pushed-images', 'recorded-images'] : [];
    const names = ['outcome', ...live, ...pushed, 'report'];
    expect(Object.keys(call.outputs)).toEqual(names);
    for (const { description } of Object.values(call.outputs)) expect(description).toMatch(/\w/);
  });
});

describe('the phases of a maintenance', () => {
  const file = find(own, 'maintenance.yml');
  const { procedure, ...jobs } = file.jobs;
  const phases = Object.entries(jobs);
  const withOf = (job: Job | undefined): Readonly<Record<string, unknown>> =>
    stepThat(job ?? {}, 'runs the action', ({ uses }) => uses === `$/${SUBFOLDER_ACTION}`).with ?? {};

  it('have a job each, in their order, beside the one for all other procedures', () => {
    expect(Object.keys(jobs)).toEqual([...PHASES]);
    expect(MAINTENANCE_PHASES.map(({ name }) => name)).toEqual([...PHASES]);
    phases.forEach(([, job], index) => {
      expect(job.needs).toEqual(index === 0 ? undefined : PHASES.slice(0, index));
    });
  });

  it.each<{ phase: string; expected: readonly string[] }>([
    { phase: '', expected: ['perform', 'verify'] },
    { phase: 'all', expected: PHASES },
    ...PHASES.map((phase) => ({ phase, expected: [phase] })),
  ])('with `phase: $phase`: $expected', ({ phase, expected }) => {
    const asked = phases.filter(([, job]) => {
      const values: unknown = JSON.parse(
        /contains\(fromJSON\('(.*?)'\), inputs\.phase\)/.exec(job.if ?? '')?.[1] ?? '',
      );
      return Array.isArray(values) && values.includes(phase);
    });
    expect(asked.map(([id]) => id)).toEqual(expected);
  });

  it('begin when nothing before failed, whether or not it was asked for', () => {
    phases.forEach(([, job], index) => {
      expect(job.if?.startsWith('!failure() && !cancelled() &&')).toBe(index > 0);
      expect(job.if).toContain("inputs.procedure == 'maintenance' &&");
    });
    // What no phase job takes is the first job's, and is refused by the action: nothing asked for is silently skipped.
    expect(procedure?.if).toContain(`!contains(fromJSON('${JSON.stringify(['', ...PHASES, 'all'])}'), inputs.phase)`);
  });

  it('wait for approval where something is changed, and only there', () => {
    const approved = phases.filter(([, job]) => job.environment !== undefined);
    expect(approved.map(([id]) => id)).toEqual(['perform']);
    expect(approved[0]?.[1].environment).toEqual(procedure?.environment);
  });

  it('hand on what the first job does, under the name of the phase', () => {
    const expected = withOf(procedure);
    for (const [id, job] of phases) {
      expect(withOf(job)).toEqual({ ...expected, procedure: 'maintenance', phase: id });
      expect(job.concurrency?.['cancel-in-progress']).toBe(false);
      expect(
        procedure?.concurrency?.group?.endsWith(job.concurrency?.group?.replace('rolling-restart', '') ?? '-'),
      ).toBe(true);
      expect(job.if).toContain('github.event.pull_request.head.repo.full_name == github.repository');
    }
  });

  it('say which of them was red', () => {
    expect([...RED_OUTCOMES].sort()).toEqual([...RED_IN_THE_ACTION].sort());
    const { outcome } = callOf(file).outputs;
    expect(outcome?.value).toMatch(
      new RegExp(PHASES.map((phase) => `jobs\\.${phase}\\.outputs\\.red \\|\\|\\s+`).join('')),
    );
  });
});

describe.each(CHAINS.map((workflow) => [workflow.file, workflow] as const))(
  'public %s',
  (name, { chain, required }) => {
    const file = find(own, name);
    const call = callOf(file);
    const called = callOf(find(own, chain.calls));
    const ids = Array.from({ length: chain.hosts }, (_, index) => `host-${index + 1}`);
    const hosts = ids.map((id) => file.jobs[id] ?? {});

    it('has a job for the list, one for each host, and one for the summary, which needs all of them', () => {
      expect(Object.keys(file.jobs)).toEqual(['list', ...ids, 'summary']);
      expect(file.jobs['summary']?.needs).toEqual(['list', ...ids]);
      expect(file.jobs['summary']?.if).toMatch(/^always\(\) && /);
      expect(MAX_HOSTS).toBe(chain.hosts);
      expect([...chain.perHost]).toEqual(HOST_FIELDS);
    });

    it('begins each host when there is one and the host before was green, and no earlier', () => {
      ids.forEach((id, index) => {
        expect(file.jobs[id]?.needs).toEqual(index === 0 ? 'list' : ['list', `host-${index}`]);
        // Without a status function in it, GitHub adds success().
        expect(file.jobs[id]?.if).toBe(`needs.list.outputs.${id} != ''`);
        expect(file.jobs['list']?.outputs?.[id]).toBe(`\${{ steps.list.outputs.${id} }}`);
      });
    });

    it('calls the workflow of its own commit, whose queue is the one of the host', () => {
      for (const job of hosts) {
        expect(job.uses).toBe(`$/.github/workflows/${chain.calls}`);
        expect(job).not.toHaveProperty('concurrency');
      }
      expect(file).not.toHaveProperty('concurrency');
    });

    it('hands every input on under its name, but for those that each host has its own of', () => {
      ids.forEach((id, index) => {
        const given = hosts[index]?.with ?? {};
        expect(Object.keys(given).sort()).toEqual(Object.keys(called.inputs).sort());
        for (const [input, value] of Object.entries(given)) {
          const own = chain.perHost.includes(input);
          expect(value).toBe(own ? `\${{ fromJSON(needs.list.outputs.${id}).${input} }}` : `\${{ inputs.${input} }}`);
        }
      });
      const ownInputs = ['hosts', 'summary-runner'];
      const known = Object.keys(called.inputs).filter((input) => input !== 'runner');
      expect(Object.keys(call.inputs).sort()).toEqual([...known, ...ownInputs].sort());
      for (const input of known) {
        const { type, default: value } = call.inputs[input] ?? {};
        const theirs = called.inputs[input];
        expect([type, value ?? '']).toEqual([theirs?.type, theirs?.default ?? '']);
      }
    });

    it('hands the secrets of the called workflow on one by one, and no others', () => {
      const names = Object.keys(called.secrets);
      expect(Object.keys(call.secrets)).toEqual(names);
      for (const job of hosts) {
        expect(job.secrets).toEqual(Object.fromEntries(names.map((secret) => [secret, `\${{ secrets.${secret} }}`])));
      }
    });

    it('asks only for what it cannot know, and documents all of it', () => {
      const asked = Object.entries(call.inputs).filter(([, input]) => input.required === true);
      expect(asked.map(([key]) => key).sort()).toEqual(['hosts', ...required].sort());
      for (const { description } of [...Object.values(call.inputs), ...Object.values(call.outputs)]) {
        expect(description).toMatch(/\w/);
      }
      for (const secret of Object.values(call.secrets)) expect(secret.required).toBe(false);
    });

    it('gives the worst outcome and the result of each host', () => {
      expect(Object.keys(call.outputs)).toEqual(['outcome', 'hosts']);
    });

    it('keeps code of forks away from all its jobs', () => {
      for (const id of ['list', 'summary']) {
        const guard = file.jobs[id]?.if;
        expect(guard).toContain('github.event.pull_request.head.repo.full_name == github.repository');
        expect(guard).toContain('github.event.workflow_run.head_repository.full_name == github.repository');
      }
    });

    it('checks nothing out, and its own steps run nothing but its own action', () => {
      const steps = [file.jobs['list'], file.jobs['summary']].flatMap((job) => job?.steps ?? []);
      expect(steps.map(({ uses }) => uses)).toEqual([
        '$/.github/actions/deploy-chain',
        '$/.github/actions/deploy-chain',
      ]);
      expect(file.text).not.toContain('actions/checkout');
    });
  },
);

it('an emergency and a rollback queue behind nothing but their own kind', () => {
  const group = (name: string): string =>
    runningJob(find(own, name)).concurrency?.group?.split('/${{ inputs.runner')[0] ?? '';
  expect(group('deploy.yml')).toBe('rolling-restart');
  expect(group('rollback.yml')).toBe('rolling-restart-rollback');
  expect(group('emergency.yml')).toBe('rolling-restart-emergency');
  expect(group('maintenance.yml')).toContain("inputs.procedure == 'emergency' && 'rolling-restart-emergency'");
  expect(group('release.yml')).toContain("'rolling-restart' || 'rolling-restart-rollback'");
});

describe.each(examples.map((file) => [file.name, file] as const))('example caller %s', (_, file) => {
  const job = onlyJob(file);
  const called = find(own, /\/([\w-]+\.yml)@/.exec(job.uses ?? '')?.[1] ?? '');
  const declared = callOf(called).inputs;
  const form =
    (file.on['workflow_dispatch'] as { inputs?: Record<string, { type: string }> } | undefined)?.inputs ?? {};

  /** The type of what is passed; an input of the form keeps its type, and a choice is a text. */
  function typeOf(value: unknown): string {
    const name = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(String(value))?.[1];
    if (name === undefined) return typeof value;
    const type = form[name]?.type;
    return type === 'choice' || type === undefined ? 'string' : type;
  }

  it('passes inputs that exist, in their type, and all that are asked for', () => {
    for (const [name, value] of Object.entries(job.with ?? {})) {
      expect(Object.keys(declared)).toContain(name);
      expect(`${name}: ${typeOf(value)}`).toBe(`${name}: ${String(declared[name]?.type)}`);
    }
    const required = Object.keys(declared).filter((name) => declared[name]?.required === true);
    expect(Object.keys(job.with ?? {})).toEqual(expect.arrayContaining(required));
  });

  it('names inputs of the form that exist', () => {
    for (const [, name] of file.text.matchAll(/inputs\.([\w-]+)/g)) expect(Object.keys(form)).toContain(name);
  });
});
