import { ProcedureError } from '../model/errors.js';
import type { ImageFacts } from '../model/image.js';
import type { Described } from './describe-wanted.js';
import type { Viewing } from './session.js';

/**
 * A change of configuration alone keeps the image: the one that runs, or else the one that is named.
 * @throws ProcedureError E_GATE when the engine has no such image
 */
export async function imageByName(
  { engine }: Viewing,
  { service, current, definition }: Described,
): Promise<ImageFacts> {
  const sameName = current.release?.image.name === definition.image;
  const image = (sameName ? current.image : undefined) ?? (await engine.image(definition.image));
  if (image !== undefined) return image;
  throw new ProcedureError('E_GATE', `${service}: the engine has no image ${definition.image}`, {
    next: 'Run procedure code-update, which builds or pulls it. Nothing was changed.',
  });
}
