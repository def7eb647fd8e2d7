import { describe, expect, it } from 'vitest';
import { inputsFromEnvironment, readRequest, type InputContext } from '../../src/action/inputs.js';
import { createClock } from '../../src/host/clock.js';
import type { StatusChange } from '../../src/model/notification.js';
import { pageBody } from '../../src/model/page-body.js';
import { ProcedureError } from '../../src/model/errors.js';
import type { Request } from '../../src/model/request.js';
import { secretsOf } from '../../src/model/request-secrets.js';
import { unseen } from '../../src/model/ports/progress.js';
import { createChannels } from '../../src/notify/index.js';
import { Notifier, type Delivery } from '../../src/run/notifier.js';
import { receiversOfATest } from '../support/receiver.js';

const receiver = receiversOfATest();

/** The request as a workflow would make it. */
function read(inputs: Readonly<Record<string, string>>): Request {
  const all = { procedure: 'maintenance', ...inputs };
  const environment = Object.fromEntries(
    Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const context: InputContext = {
    environment,
    currentDirectory: '/srv/roma',
    homeDirectory: '/home/deploy',
    realDirectory: (path) => path,
  };
  return readRequest(inputsFromEnvironment(environment), context);
}

function refusal(inputs: Readonly<Record<string, string>>): string {
  try {
    read(inputs);
  } catch (error) {
    expect(error).toBeInstanceOf(ProcedureError);
    return (error as ProcedureError).message;
  }
  throw new Error('was not refused');
}

const about = { project: 'roma', reason: 'patches "now"' };
const CHANGES: readonly StatusChange[] = [
  { kind: 'announced', ...about, startsAt: '2031-12-01T02:00:00.000Z', durationMs: 900_000, impact: 'minimal' },
  { kind: 'maintenance', ...about },
  { kind: 'operational', ...about },
  { kind: 'completed', ...about, actualMs: 720_000, issues: 'none', notes: 'roma: deployed' },
];

/** Sends each of the runbook's calls. @returns what became of each */
async function tellAll(inputs: Readonly<Record<string, string>>): Promise<readonly (readonly Delivery[])[]> {
  const silent = (): void => {};
  const notifier = new Notifier(createChannels(read(inputs).notifications), {
    clock: createClock(),
    progress: {
      group: <T>(_: string, body: () => Promise<T>) => body(),
      ...{ info: silent, debug: silent, warning: silent, error: silent, doing: unseen },
    },
    redact: (text) => text,
    cancelled: new AbortController().signal,
    deadlineMs: 1_000,
  });
  const told: (readonly Delivery[])[] = [];
  for (const change of CHANGES) told.push(await notifier.tell(change));
  return told;
}

describe('the status page', () => {
  it('gets the calls of the runbook, with nothing but the addresses given', async () => {
    const page = await receiver();
    const told = await tellAll({
      'status-page-url': `${page.url}/status`,
      'status-page-announce-url': `${page.url}/maintenance`,
      'status-page-complete-url': `${page.url}/maintenance/complete`,
    });
    expect(told.flat().map(({ problem }) => problem)).toEqual(Array(4).fill(undefined));
    expect(page.received.map(({ method, path, json }) => [method, path, json])).toEqual([
      [
        'POST',
        '/maintenance',
        { scheduled: '2031-12-01T02:00:00.000Z', duration: '15min', impact: 'minimal', reason: 'patches "now"' },
      ],
      ['POST', '/status', { status: 'maintenance' }],
      ['POST', '/status', { status: 'operational' }],
      ['POST', '/maintenance/complete', { actual_duration: '12min', issues: 'none', notes: 'roma: deployed' }],
    ]);
    expect(new Set(page.received.map(({ headers }) => headers['content-type']))).toEqual(new Set(['application/json']));
  });

  it('gets each call with a method, an address, a body and headers of its own', async () => {
    const page = await receiver();
    await tellAll({
      'status-page-url': `PATCH ${page.url}/components/1`,
      'status-page-maintenance': '{"component": {"status": "under_maintenance", "why": "{project}: {reason}"}}',
      'status-page-operational-url': `PUT ${page.url}/components/2`,
      'status-page-operational': '["up", 1, null, true]',
      'status-page-announce-url': `PUT ${page.url}/incidents`,
      'status-page-announce':
        '{"incident": {"for": ["{scheduled}", "{scheduled_until}"], "minutes": "{duration_minutes}", "text": "{impact}, {duration}", "kept": 3}}',
      'status-page-complete-url': `PATCH ${page.url}/incidents/last`,
      'status-page-complete': '{"minutes": "{actual_minutes}", "text": "{issues}; {notes} ({project})"}',
      'status-page-headers':
        'Authorization: OAuth t0ken-of-all\nX-Page: 7\ncomplete Authorization: Bearer t0ken-of-the-end\nannounce Content-Type: application/vnd.page+json',
    });
    expect(page.received.map(({ method, path, json }) => [method, path, json])).toEqual([
      [
        'PUT',
        '/incidents',
        {
          incident: {
            for: ['2031-12-01T02:00:00.000Z', '2031-12-01T02:15:00.000Z'],
            minutes: 15,
            text: 'minimal, 15min',
            kept: 3,
          },
        },
      ],
      ['PATCH', '/components/1', { component: { status: 'under_maintenance', why: 'roma: patches "now"' } }],
      ['PUT', '/components/2', ['up', 1, null, true]],
      ['PATCH', '/incidents/last', { minutes: 12, text: 'none; roma: deployed (roma)' }],
    ]);
    expect(page.received.map(({ headers }) => [headers['x-page'], headers.authorization])).toEqual([
      ['7', 'OAuth t0ken-of-all'],
      ['7', 'OAuth t0ken-of-all'],
      ['7', 'OAuth t0ken-of-all'],
      ['7', 'Bearer t0ken-of-the-end'],
    ]);
    expect(page.received.map(({ headers }) => headers['content-type'])).toEqual([
      'application/vnd.page+json',
      ...Array<string>(3).fill('application/json'),
    ]);
  });

  it('is told by itself of what has an address, and says what it answered', async () => {
    const page = await receiver((response, path) => response.writeHead(path === '/up' ? 503 : 200).end('no'));
    const told = await tellAll({
      'status-page-operational-url': `PUT ${page.url}/up`,
      'status-page-complete-url': `${page.url}/done`,
    });
    expect(told.map((deliveries) => deliveries.map(({ problem }) => problem ?? 'told'))).toEqual([
      [],
      [],
      ['HTTP 503: no'],
      ['told'],
    ]);
    expect(page.received.map(({ method, path }) => [method, path])).toEqual([
      ['PUT', '/up'],
      ['POST', '/done'],
    ]);
  });

  it('has bodies that no text can turn into something else', () => {
    const nasty = '", "status": "operational", "x": "{notes}\n';
    const change: StatusChange = {
      ...{ kind: 'completed', project: 'roma', reason: nasty, actualMs: 1, issues: nasty, notes: 'n' },
    };
    expect(JSON.parse(pageBody('{"status": "bad", "issues": "seen: {issues}"}', change))).toEqual({
      status: 'bad',
      issues: `seen: ${nasty}`,
    });
  });

  it.each([
    [{ 'status-page-announce': '{"for": "{when}"}' }, /status-page-announce.*\{when\}/],
    [{ 'status-page-complete': '{"for": "{scheduled}"}' }, /status-page-complete.*\{scheduled\}/],
    [{ 'status-page-operational': '{status}' }, /status-page-operational.*is not JSON/],
    [{ 'status-page-complete-url': 'GET https://status.example.com' }, /status-page-complete-url.*POST, PUT or PATCH/],
    [{ 'status-page-headers': 'verify Authorization: x' }, /status-page-headers.*has a line that is not/],
  ])('refuses %j', (inputs, words) => {
    expect(refusal({ 'status-page-url': 'https://status.example.com', ...inputs })).toMatch(words);
  });

  it('keeps the values of all headers as secrets, with a token alone as well', () => {
    const headers = 'X-Key: k3y-of-all\nannounce Authorization: Bearer t0ken-of-one';
    const request = read({ 'status-page-url': 'https://status.example.com', 'status-page-headers': headers });
    const announced = read({
      'status-page-announce-url': 'https://status.example.com',
      'status-page-headers': headers,
    });
    expect(secretsOf(request).map(({ value }) => value)).toEqual(['k3y-of-all']);
    expect(secretsOf(announced).map(({ value }) => value)).toEqual([
      'k3y-of-all',
      'Bearer t0ken-of-one',
      't0ken-of-one',
    ]);
  });
});
