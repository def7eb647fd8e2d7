import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ProcedureError } from '../model/errors.js';
import type { MetricFamily, MetricSample } from '../model/metrics.js';
import type { MetricsFile } from '../model/ports/metrics.js';

/**
 * Text that OpenMetrics 1.0 and Prometheus' own format both read: gauges without time stamps (a node exporter refuses
 * those in its textfile directory), and the end mark of OpenMetrics, a comment to the other.
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function renderMetrics(families: readonly MetricFamily[]): string {
  const lines = families.flatMap(({ name, help, samples }) => [
    `# HELP ${name} ${escapeHelp(help)}`,
    `# TYPE ${name} gauge`,
    ...samples.map((sample) => `${name}${renderLabels(sample)} ${sample.value}`),
  ]);
  return `${[...lines, '# EOF'].join('\n')}\n`;
}

function renderLabels({ labels }: MetricSample): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

/** Of a system error its code: its words name the file beside it, which nobody knows. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/**
 * Writes metrics so that a reader sees the old file or the new one and never half of one: a file beside it, which the
 * exporter does not read since its name does not end in `.prom`, renamed over it.
 */
export function createMetricsFile(): MetricsFile {
  return {
    async write(path, families) {
      const beside = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
      try {
        // Readable by the exporter, which is another user.
        const file = await open(beside, 'wx', 0o644);
        try {
          await file.writeFile(renderMetrics(families));
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(beside, path);
      } catch (error) {
        await rm(beside, { force: true });
        throw new ProcedureError('E_EVIDENCE', `The metrics could not be written to ${path}: ${reasonOf(error)}`, {
          next: 'See that its directory is there and can be written by the user of this run.',
          cause: error,
        });
      }
    },
  };
}
