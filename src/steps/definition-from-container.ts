/**
 * Rebuilds a compose definition from a running container, for a container whose compose file is not there any more
 * (somebody changed the file and did not run `up`). What the container tells wins; what only a compose file can tell
 * (networks' definitions, volumes' drivers) comes from the files of today.
 *
 * @param options.image its name of before, where today's file has another one
 *
 * The engine's inspect answer is untyped on purpose: it is read here, field by field, and nowhere else.
 */
export function definitionFromContainer(
  today: Readonly<Record<string, unknown>>,
  service: string,
  { inspected, image }: { readonly inspected: unknown; readonly image: string | undefined },
): Readonly<Record<string, unknown>> {
  const container = asRecord(inspected);
  const config = asRecord(container['Config']);
  const host = asRecord(container['HostConfig']);
  const services = asRecord(today['services']);
  const base = asRecord(services[service]);
  const rebuilt: Record<string, unknown> = {
    ...base,
    ...(image === undefined ? {} : { image }),
    environment: environmentOf(config['Env']),
    command: config['Cmd'] ?? null,
    entrypoint: config['Entrypoint'] ?? null,
    restart: restartOf(host['RestartPolicy']),
    ports: portsOf(host['PortBindings']),
    volumes: mountsOf(container['Mounts'], asRecord(today['volumes'])),
  };
  const memory = host['Memory'];
  if (typeof memory === 'number' && memory > 0) rebuilt['mem_limit'] = String(memory);
  else delete rebuilt['mem_limit'];
  return { ...today, services: { ...services, [service]: rebuilt } };
}

type Unknown = Readonly<Record<string, unknown>>;

function asRecord(value: unknown): Unknown {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Unknown) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** `$` is doubled: Compose reads the definition again and would take it for a variable. */
function environmentOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    asList(value).map((entry) => {
      const line = text(entry);
      const split = line.indexOf('=');
      return [line.slice(0, split), line.slice(split + 1).replaceAll('$', '$$$$')];
    }),
  );
}

function restartOf(value: unknown): string {
  const policy = asRecord(value);
  const name = text(policy['Name']);
  const retries = Number(policy['MaximumRetryCount'] ?? 0);
  if (name === '') return 'no';
  return name === 'on-failure' && retries > 0 ? `${name}:${retries}` : name;
}

function portsOf(value: unknown): readonly Unknown[] {
  return Object.entries(asRecord(value)).flatMap(([port, bindings]) => {
    const [target = '', protocol = 'tcp'] = port.split('/');
    return asList(bindings).map((binding) => {
      const { HostIp: ip, HostPort: published } = asRecord(binding);
      return {
        mode: 'ingress',
        target: Number(target),
        protocol,
        ...(text(published) === '' ? {} : { published: text(published) }),
        ...(text(ip) === '' ? {} : { host_ip: text(ip) }),
      };
    });
  });
}

/** Named volumes go by the key that the compose file gives them, found by their name on the engine. */
function mountsOf(value: unknown, volumes: Unknown): readonly Unknown[] {
  return asList(value).map((entry) => {
    const mount = asRecord(entry);
    const name = text(mount['Name']);
    const key = Object.entries(volumes).find(([, volume]) => text(asRecord(volume)['name']) === name)?.[0];
    const type = text(mount['Type']);
    return {
      type,
      ...(type === 'volume' ? (key === undefined ? {} : { source: key }) : { source: text(mount['Source']) }),
      target: text(mount['Destination']),
      ...(mount['RW'] === false ? { read_only: true } : {}),
    };
  });
}
