/**
 * `npm run docs`: writes what is generated from tables into action.yml, README.md and docs/.
 * `--check`: changes nothing and fails when a generated text differs, a link leads nowhere, or a sample uses an input that
 * does not exist.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { documents, problemsIn } from './lib/docs-check.mjs';
import { actionFile, errorsPage, formatted, inputsPage, readTables, readme, schemaFile } from './lib/docs-generate.mjs';
import { projectRoot } from './lib/files.mjs';
import { generateAll } from './lib/workflow-generate.mjs';

const check = process.argv.includes('--check');
const problems = [];
const tables = await readTables();

const text = (path) => readFileSync(join(projectRoot, path), 'utf8');
await settle('action.yml', await formatted('action.yml', actionFile(text('action.yml'), tables)));
await settle('docs/inputs.md', inputsPage(tables));
await settle('docs/errors.md', errorsPage(tables));
await settle('docs/report.schema.json', await formatted('docs/report.schema.json', schemaFile(tables)));
if (existsSync(join(projectRoot, 'README.md'))) await settle('README.md', readme(text('README.md'), tables));
// The workflows pass the inputs of action.yml on: made after it.
for (const [path, wanted] of await generateAll()) await settle(path, wanted);

const inputs = tables.inputs.map(({ name }) => name);
for (const path of documents()) problems.push(...problemsIn(path, text(path), { inputs }));

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
} else if (check) {
  console.log('The documents say what the program does.');
}

async function settle(path, wanted) {
  const file = join(projectRoot, path);
  const current = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (current === wanted) return;
  if (check) {
    problems.push(`${path}: differs from what it is generated from; run \`npm run docs\` and commit it`);
  } else {
    writeFileSync(file, wanted);
    console.log(`wrote ${path}`);
  }
}
