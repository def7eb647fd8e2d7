import { composeContract } from '../support/contracts/compose.js';
import { dockerSubject } from '../support/contracts/docker-subject.js';
import { engineContract } from '../support/contracts/engine.js';
import { recordsContract } from '../support/contracts/records.js';
import { makeSandbox, testEngine } from '../support/engine-containers.js';

engineContract('Docker', dockerSubject);
composeContract('Docker Compose', dockerSubject);
recordsContract('Docker', async () => {
  const sandbox = makeSandbox();
  return { api: (await testEngine()).records, name: sandbox.name, cleanup: () => sandbox.cleanup() };
});
