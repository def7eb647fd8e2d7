/** Gates that a person may set; the others (a release that was rolled back, data in use, …) only `force` passes. */
export const SETTABLE_GATES = [
  'health',
  'active-jobs',
  'peak-hours',
  'registry',
  'downgrade',
  'staging',
  'rollback-release',
  'backup-age',
  'disk-space',
  'ports',
] as const;
export type SettableGate = (typeof SETTABLE_GATES)[number];

/** `enforce`: refuses, also where it would only warn. `warn`: never refuses. `off`: is not asked. */
export const GATE_MODES = ['enforce', 'warn', 'off'] as const;
export type GateMode = (typeof GATE_MODES)[number];

/** Gates that are not in it do what they do by themselves. */
export type GateSettings = Readonly<Partial<Record<string, GateMode>>>;

/** @param parts `NAME=MODE` each @returns the settings, or what is wrong, one text for each problem */
export function parseGates(parts: readonly string[]): {
  readonly settings: GateSettings;
  readonly problems: readonly string[];
} {
  const settings: Partial<Record<string, GateMode>> = {};
  const problems: string[] = [];
  for (const part of parts) {
    const [name = '', mode = ''] = part.split('=').map((word) => word.trim());
    const gate = SETTABLE_GATES.find((one) => one === name);
    const known = GATE_MODES.find((one) => one === mode);
    if (gate === undefined) problems.push(`there is no gate "${name}" to set; there are ${SETTABLE_GATES.join(', ')}`);
    else if (known === undefined)
      problems.push(`"${part}" names no mode; write ${gate}=enforce, ${gate}=warn or ${gate}=off`);
    else if (settings[gate] !== undefined) problems.push(`${gate} is named twice`);
    else settings[gate] = known;
  }
  return { settings, problems };
}
