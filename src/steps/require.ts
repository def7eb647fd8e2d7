import { ProcedureError } from '../model/errors.js';
import type { Request } from '../model/request.js';
import { requireServices } from './open-project.js';
import type { Viewing } from './session.js';

/** @throws ProcedureError E_INPUT when one image is asked for and not exactly one service */
export function requireOneImage(request: Request): void {
  if (request.image === undefined || request.services.length === 1) return;
  throw new ProcedureError('E_INPUT', 'image names one image, so service has to name exactly one service', {
    next: 'Set service, or leave image out. Nothing was changed.',
  });
}

/** Force is used on what a person names, never on all there is. @throws ProcedureError E_INPUT, E_SERVICE */
export function requireNamedServices(viewing: Viewing): readonly string[] {
  const { services } = viewing.request;
  if (services.length === 0) {
    throw new ProcedureError('E_INPUT', `${viewing.request.procedure} needs the input service`, {
      next: `Name the service: ${Object.keys(viewing.opened.live.services).sort().join(', ')}. Nothing was changed.`,
    });
  }
  requireServices(services, Object.keys(viewing.opened.live.services));
  return services;
}
