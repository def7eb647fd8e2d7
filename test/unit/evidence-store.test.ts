import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEvidenceStore } from '../../src/report/evidence.js';
import { RedactingStream } from '../../src/report/redact-stream.js';
import { createRedactor, type SecretRedactor } from '../../src/report/redact.js';

let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'rr-evidence-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function knowing(...secrets: readonly string[]): SecretRedactor {
  const redactor = createRedactor();
  redactor.learn(secrets.map((value, index) => ({ name: `SECRET_${index}`, value })));
  return redactor;
}

function redact(redactor: SecretRedactor, chunks: readonly Buffer[]): Buffer {
  const stream = new RedactingStream(redactor);
  return Buffer.concat([...chunks.flatMap((chunk) => stream.push(chunk)), ...stream.end()]);
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}

async function* each(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield chunk;
}

describe('RedactingStream', () => {
  it('gives the same bytes wherever the chunks are cut, and never the secret', () => {
    const secret = 'sw0rdfish-and-more';
    const log = Buffer.from(
      `start\nlogin ${secret} ok\npostgres://app:pa55@db/x\n\nAuthorization: Bearer abcdefgh\nplain wörds ☃\npassword=${secret}${secret}\nlast ${secret}`,
    );
    const whole = redact(knowing(secret), [log]);
    expect(whole.toString()).toBe(
      'start\nlogin *** ok\npostgres://app:***@db/x\n\nAuthorization: Bearer ***\nplain wörds ☃\npassword=***\nlast ***',
    );
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 }), (sizes) => {
        expect(redact(knowing(secret), cut(log, sizes)).equals(whole)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('lets bytes that are no text through as they are', () => {
    const binary = Buffer.concat([
      randomBytes(5_000),
      Buffer.from('\nx sw0rdfish1 \xff\xfe\n', 'latin1'),
      randomBytes(5_000),
    ]);
    const out = redact(knowing('sw0rdfish1'), [binary]);
    const at = binary.indexOf('sw0rdfish1');
    expect(out.length).toBeLessThanOrEqual(binary.length);
    expect(out.includes('sw0rdfish1')).toBe(false);
    expect(out.subarray(0, 4_000).equals(binary.subarray(0, 4_000))).toBe(true);
    expect(out.subarray(-4_000).equals(binary.subarray(-4_000))).toBe(true);
    expect(out.subarray(at - 2, at + 7).toString('latin1')).toBe('x *** \xff\xfe\n');
  });

  it('finds a secret in lines far longer than it keeps in memory, at every place', () => {
    const secret = 'sw0rdfish-and-more';
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 1_000, max: 90_000 }), (at, size) => {
        const line = Buffer.alloc(320_000, 'x');
        line.write(` ${secret} `, at);
        const chunks = cut(
          line,
          Array.from({ length: Math.floor(line.length / size) }, () => size),
        );
        const text = redact(knowing(secret), chunks).toString('latin1');
        expect(text).not.toContain('sw0rdfish');
        expect(text.length).toBe(line.length - secret.length + 3);
      }),
      { numRuns: 40 },
    );
  });

  it('swallows a secret that is itself longer than a piece, and goes on after it', () => {
    const token = randomBytes(150_000).toString('hex');
    const log = Buffer.from(`before password=${token} after ${'y'.repeat(70_000)} end\nnext\n`);
    const sizes = Array.from({ length: 20 }, () => 16_384);
    const text = redact(createRedactor(), cut(log, sizes)).toString();
    expect(text.slice(0, 40)).toMatch(/^before password=(?:\*\*\*)+ after y/);
    expect(text.slice(-20)).toBe('yyyyyyyyyy end\nnext\n');
  });

  it('hides a private key line by line that it does not know', () => {
    const log = 'a\n-----BEGIN PRIVATE KEY-----\nMIIEabc\ndef\n-----END PRIVATE KEY-----\nb\n';
    const wanted = 'a\n-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----\nb\n';
    for (let size = 1; size < log.length; size += 1) {
      const sizes = Array.from({ length: Math.floor(log.length / size) }, () => size);
      expect(redact(createRedactor(), cut(Buffer.from(log), sizes)).toString()).toBe(wanted);
    }
  });

  it('hides what is learned while it runs', () => {
    const redactor = createRedactor();
    const stream = new RedactingStream(redactor);
    expect(Buffer.concat(stream.push(Buffer.from('x sw0rdfish1\n'))).toString()).toBe('x sw0rdfish1\n');
    redactor.learn([{ name: 'A', value: 'sw0rdfish1' }]);
    expect(Buffer.concat(stream.push(Buffer.from('x sw0rdfish1\n'))).toString()).toBe('x ***\n');
  });
});

describe('createEvidenceStore', () => {
  it('writes files for their owner alone, into a directory for its owner alone', async () => {
    const directory = join(folder, 'state', 'run-1');
    const store = createEvidenceStore(directory, knowing('sw0rdfish1'));
    const written = await store.stream('roma/../../before.log', each([Buffer.from('a sw0rd'), Buffer.from('fish1\n')]));
    await store.json('inspect.json', { Config: { Env: ['A=sw0rdfish1'] } });
    const log = join(directory, 'roma-..-..-before.log');
    expect(readFileSync(log, 'utf8')).toBe('a ***\n');
    expect(written).toBe(6);
    expect(JSON.parse(readFileSync(join(directory, 'inspect.json'), 'utf8'))).toEqual({ Config: { Env: ['A=***'] } });
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(log).mode & 0o777).toBe(0o600);
  });

  it('keeps what came before the signal, of a log that never ends', async () => {
    const store = createEvidenceStore(join(folder, 'run-2'), createRedactor());
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('first\nsecond without end');
      await sleep(60_000, undefined, { ref: false });
    }
    const began = performance.now();
    await store.stream('x.log', endless(), AbortSignal.timeout(100));
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(readFileSync(join(folder, 'run-2', 'x.log'), 'utf8')).toMatch(/^first\nsecond without end\n\[cut off/);
  });

  it('says what to do when it cannot write', async () => {
    writeFileSync(join(folder, 'in-the-way'), '');
    const store = createEvidenceStore(join(folder, 'in-the-way', 'run'), createRedactor());
    await expect(store.json('x.json', {})).rejects.toMatchObject({
      code: 'E_EVIDENCE',
      next: expect.stringContaining('evidence-dir') as string,
    });
  });

  it('passes a failure of the log on as a failure of the capture', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('a\n');
      throw new Error('connection lost');
    }
    const store = createEvidenceStore(join(folder, 'run-3'), createRedactor());
    await expect(store.stream('x.log', broken())).rejects.toMatchObject({
      code: 'E_EVIDENCE',
      message: expect.stringContaining('connection lost') as string,
    });
    expect(readFileSync(join(folder, 'run-3', 'x.log'), 'utf8')).toBe('a\n');
  });

  it('holds its memory however long the log is', async () => {
    const chunk = Buffer.from(
      '2026-11-24T03:15:02Z INFO request served in 4 ms from http://api.internal/v1\n'.repeat(800),
    );
    let peak = 0;
    async function* long(): AsyncGenerator<Buffer> {
      for (let index = 0; index < 4_000; index += 1) {
        if (index % 100 === 0) peak = Math.max(peak, process.memoryUsage().rss);
        yield Buffer.from(chunk);
      }
    }
    const before = process.memoryUsage().rss;
    const written = await createEvidenceStore(join(folder, 'run-4'), knowing('sw0rdfish1')).stream('long.log', long());
    expect(written).toBe(chunk.length * 4_000);
    // 240 MB went through; garbage that is not collected yet is allowed for.
    expect(peak - before).toBeLessThan(100e6);
    rmSync(join(folder, 'run-4'), { recursive: true });
  });
});
