/** Work done while an independent load generator asks, each way that clients ask. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad, type Load, type LoadOptions, type LoadReport } from './load.js';

/** What comes late is seen as well. */
const AFTER_MS = 1_000;

export interface UnderLoad<Result> {
  readonly result: Result;
  /** A new connection for each request, and a request of 2 s in flight at every time. */
  readonly fresh: LoadReport;
  /** Over connections that are kept. */
  readonly kept: LoadReport;
  /** From inside the compose network, by the service's name, a new connection for each request; undefined: nobody asks. */
  readonly inside: LoadReport | undefined;
}

export interface Rates {
  /** Requests a second over new connections. */
  readonly fresh: number;
  /** Requests a second over connections that are kept. */
  readonly kept: number;
}

/** 300 requests a second in all, both ways at once. */
export const RATES: Rates = { fresh: 200, kept: 100 };

export interface Asked {
  readonly url: string;
  readonly slowUrl?: string;
  readonly rates?: Rates;
  readonly inside?: { readonly url: string; readonly network: string };
}

const INSIDE_RATE = 50;

/**
 * @param url answered with 200 and the version, by header `x-version` or `x-roma-version` or as the first word
 * @param slowUrl takes 2 s to be answered; undefined: nothing slow is sent
 */
export async function underLoad<Result>(
  { url, slowUrl, rates = RATES, inside }: Asked,
  work: () => Promise<Result>,
): Promise<UnderLoad<Result>> {
  const slow = slowUrl === undefined ? {} : { slow: { url: slowUrl, everyMs: 500 } };
  const loads: Load[] = [];
  const start = async (options: LoadOptions): Promise<Load> => {
    const load = await startLoad(options);
    loads.push(load);
    return load;
  };
  try {
    const fresh = await start({ url, rate: rates.fresh, keepAlive: false, ...slow });
    const kept = await start({ url, rate: rates.kept, keepAlive: true });
    const caller = inside && (await start({ ...inside, rate: INSIDE_RATE, keepAlive: false }));
    const result = await work();
    await sleep(AFTER_MS);
    const [freshReport, keptReport, insideReport] = await Promise.all([fresh.stop(), kept.stop(), caller?.stop()]);
    return { result, fresh: freshReport, kept: keptReport, inside: insideReport };
  } catch (error) {
    await Promise.allSettled(loads.map((load) => load.stop()));
    throw error;
  }
}

/** @returns what failed of all that was sent; `{}` when nothing did */
export function failuresOf({ fresh, kept, inside }: UnderLoad<unknown>): Readonly<Record<string, unknown>> {
  const parts = { 'new connections': fresh, 'kept connections': kept, slow: fresh.slow, inside };
  return Object.fromEntries(
    Object.entries(parts).flatMap(([name, report]) => {
      if (report === undefined || report.failed === 0) return [];
      const { failed, requests, failures, firstFailures } = report;
      return [[name, { failed, requests, failures, firstFailures }]];
    }),
  );
}
