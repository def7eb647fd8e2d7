import { hostname } from 'node:os';
import type { EngineFacts } from '../model/ports/engine.js';
import type { EngineClient } from './client.js';

/** What is read of the engine's description of itself (Engine API, SystemInfo). */
interface InfoAnswer {
  readonly ID: string;
  readonly Name: string;
  readonly DockerRootDir: string;
  readonly OperatingSystem: string;
  readonly DriverStatus?: readonly (readonly string[])[] | null;
}

/** What answers at the endpoint. */
export async function readFacts(client: EngineClient): Promise<EngineFacts> {
  const { version, apiVersion } = await client.server();
  const info = (await client.getJson('describe itself', '/info')) as InfoAnswer;
  return {
    id: info.ID,
    name: info.Name,
    version,
    apiVersion,
    rootDirectory: info.DockerRootDir,
    operatingSystem: info.OperatingSystem,
    containerdStore: isContainerdStore(info.DriverStatus ?? []),
    endpoint: client.endpoint.host,
    here: info.Name === hostname(),
  };
}

/** docs.docker.com/engine/storage/containerd, "Verify": the driver's type is a containerd snapshotter. */
function isContainerdStore(driverStatus: readonly (readonly string[])[]): boolean {
  return driverStatus.some(
    ([key, value]) => key === 'driver-type' && value?.startsWith('io.containerd.snapshotter') === true,
  );
}
