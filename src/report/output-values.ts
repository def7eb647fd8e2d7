import type { ShownPlan } from '../model/plan.js';
import type { WarningSign } from '../model/policy.js';
import type { RunReport, ServiceReport } from '../model/report.js';

/**
 * The outputs of one job may have 1 MB together, counted as UTF-16. These limits leave room for the outputs of other steps.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs
 */
const LONGEST = { json: 100_000, list: 25_000 } as const;

/** @returns what a workflow gets to know of a finished run, by the name of the output, each within its limit */
export function outputValues(report: RunReport) {
  const { traffic, plan } = report;
  return {
    outcome: report.outcome,
    release: ofServices(report, (service) => service.release),
    'previous-release': ofServices(report, (service) => service.previousRelease),
    'image-digest': ofServices(report, (service) => service.imageDigest),
    'downtime-ms': String(Math.max(0, ...report.services.map((service) => service.downtimeMs ?? 0))),
    ...(traffic === undefined
      ? {}
      : {
          'probe-requests': String(traffic.requests),
          'probe-failed': String(traffic.failed),
          'probe-longest-gap-ms': String(traffic.longestGapMs),
          'probe-p99-ms': traffic.p99Ms === undefined ? '' : String(traffic.p99Ms),
        }),
    'duration-ms': String(report.durationMs),
    warnings: warningsOutput(report.warnings),
    ...(plan === undefined ? {} : { plan: planOutput(plan) }),
  };
}

/** @returns a JSON object of images by service, empty for none: a service without an image is built or pulled again */
export function imagesOutput(images: ReadonlyMap<string, string>): string {
  if (images.size === 0) return '';
  const entries = [...images];
  const fits = longestPrefix(entries, (some) => JSON.stringify(Object.fromEntries(some)).length <= LONGEST.list);
  return JSON.stringify(Object.fromEntries(entries.slice(0, fits)));
}

function ofServices({ services }: RunReport, pick: (service: ServiceReport) => string | undefined): string {
  const [first] = services;
  if (services.length <= 1) return first === undefined ? '' : (pick(first) ?? '');
  const lines = services.map((service) => `${service.service}=${pick(service) ?? ''}`);
  const fits = longestPrefix(lines, (some) => some.join('\n').length <= LONGEST.list);
  if (fits === lines.length) return lines.join('\n');
  return [...lines.slice(0, fits), `# cut: ${lines.length - fits} more are in the report (output report-path)`].join(
    '\n',
  );
}

/** Still a list of signs: the last one says that others are missing. */
function warningsOutput(warnings: readonly WarningSign[]): string {
  const fits = longestPrefix(warnings, (some) => JSON.stringify(some).length <= LONGEST.json);
  if (fits === warnings.length) return JSON.stringify(warnings);
  const cut: WarningSign = {
    sign: 'note',
    severity: 'low',
    service: '',
    message: `Cut: ${warnings.length - fits} more warning signs are in the report (output report-path).`,
    at: warnings[fits]?.at ?? '',
    action: 'warn',
  };
  return JSON.stringify([...warnings.slice(0, fits), cut]);
}

/** Still a plan, of fewer services, with a field that says so. */
function planOutput(plan: ShownPlan): string {
  const of = (services: ShownPlan['services'], preparation = plan.preparation): string => {
    const missing = plan.services.length - services.length;
    const whole = missing === 0 && preparation.length === plan.preparation.length;
    const cut = `Cut: the report (output report-path) has the whole plan of ${plan.services.length} services.`;
    return JSON.stringify({ ...plan, preparation, services, ...(whole ? {} : { cut }) });
  };
  const fits = longestPrefix(plan.services, (some) => of(some).length <= LONGEST.json);
  const text = of(plan.services.slice(0, fits));
  return text.length <= LONGEST.json ? text : of([], []);
}

/** @returns how many of the first items fit; fitting more never fits better */
function longestPrefix<T>(items: readonly T[], fits: (some: readonly T[]) => boolean): number {
  if (fits(items)) return items.length;
  let [least, most] = [0, items.length];
  while (most - least > 1) {
    const middle = (least + most) >> 1;
    if (fits(items.slice(0, middle))) least = middle;
    else most = middle;
  }
  return least;
}
