import type { ProcedureName } from '../model/request.js';
import { backup } from './backup.js';
import { check } from './check.js';
import { codeUpdate } from './code-update.js';
import { configChange } from './config-change.js';
import { eject } from './eject.js';
import { emergency } from './emergency.js';
import { healthRestart } from './health-restart.js';
import { fullRestart } from './full-restart.js';
import { maintenance } from './maintenance.js';
import { plan } from './plan.js';
import type { Procedure } from './procedure.js';
import { restore } from './restore.js';
import { rollback } from './rollback.js';
import { start } from './start.js';
import { stop } from './stop.js';
import { sloReport } from './slo-report.js';

/** Every procedure there is; a new one is one file and one line here. */
export const ALL_PROCEDURES: Readonly<Record<ProcedureName, Procedure>> = {
  check,
  plan,
  'code-update': codeUpdate,
  rollback,
  'health-restart': healthRestart,
  'config-change': configChange,
  emergency,
  stop,
  start,
  'full-restart': fullRestart,
  maintenance,
  'slo-report': sloReport,
  backup,
  restore,
  eject,
};
