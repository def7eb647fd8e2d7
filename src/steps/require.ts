import { ProcedureError } from '../model/errors.js';
import type { Request } from '../model/request.js';

/** @throws ProcedureError E_INPUT when one image is asked for and not exactly one service */
export function requireOneImage(request: Request): void {
  if (request.image === undefined || request.services.length === 1) return;
  throw new ProcedureError('E_INPUT', 'image names one image, so service has to name exactly one service', {
    next: 'Set service, or leave image out. Nothing was changed.',
  });
}
