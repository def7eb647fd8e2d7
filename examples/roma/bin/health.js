// The health check of docker-compose.yml: exit 0 when /health answers 200.
// Docker keeps what is printed here and shows it in `docker inspect`.
import { request } from './request.js';

try {
  const { ok, status, text } = await request(`http://127.0.0.1:${process.env.PORT ?? 3000}/health`, 2500);
  console.log(`${status} ${text}`);
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  console.log(`no answer: ${error.message}`);
  process.exitCode = 1;
}
