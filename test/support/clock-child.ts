/** A process with an hour's deadline and a short sleep: it ends when it is awake. */
import { createClock } from '../../src/host/clock.js';

const clock = createClock();
const deadline = clock.deadline(3_600_000);
void clock.sleep(50, deadline).then(() => process.stdout.write('awake\n'));
