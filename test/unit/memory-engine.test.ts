import { composeContract } from '../support/contracts/compose.js';
import { engineContract } from '../support/contracts/engine.js';
import { memorySubject } from '../support/contracts/memory-subject.js';
import { recordsContract } from '../support/contracts/records.js';
import { memoryEngine } from '../support/memory-records.js';

engineContract('memory', async () => memorySubject());
composeContract('memory, as 2.26', async () => memorySubject('2.26.1'));
composeContract('memory, as 2.40', async () => memorySubject('2.40.3'));
recordsContract('memory', async () => ({ api: memoryEngine(), name: 'rr-memory', cleanup: async () => undefined }));
