import type { MetricFamily } from '../metrics.js';

/** A file that a node exporter takes its metrics from. */
export interface MetricsFile {
  /** Replaces the whole file at once. @throws ProcedureError E_EVIDENCE */
  write(path: string, families: readonly MetricFamily[]): Promise<void>;
}
