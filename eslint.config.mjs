import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

const TIME = 'Time is a port: take it from Clock (src/model/ports/clock.ts), which the run has as `clock`.';
const TIMERS = ['node:timers', 'timers', 'node:timers/promises', 'timers/promises', 'node:perf_hooks', 'perf_hooks'];

/** Above the adapters nobody reads a clock or sets a timer: tests let time pass there. */
const timeIsAPort = {
  files: ['src/*.ts', 'src/{action,model,procedures,report,run,shell,steps,strategies}/**/*.ts'],
  // They show progress on this process's own output, as it goes by for the person who looks at it.
  ignores: ['src/action/{live-line,runner,terminal}.ts'],
  rules: {
    'no-restricted-globals': [
      'error',
      {
        globals: ['performance', 'setTimeout', 'setInterval'].map((name) => ({ name, message: TIME })),
        checkGlobalObject: true,
      },
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: TIME },
      { object: 'AbortSignal', property: 'timeout', message: TIME },
      { object: 'process', property: 'hrtime', message: TIME },
    ],
    'no-restricted-imports': ['error', { paths: TIMERS.map((name) => ({ name, message: TIME })) }],
    'no-restricted-syntax': [
      'error',
      { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: TIME },
      { selector: "CallExpression[callee.name='Date']", message: TIME },
      { selector: 'ImportExpression[source.value=/^(node:)?(timers|perf_hooks)/]', message: TIME },
    ],
  },
};

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'node_modules/', 'examples/', 'test/fixtures/'] },
  eslint.configs.recommended,
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/require-await': 'off',
    },
  },
  timeIsAPort,
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        fetch: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        performance: 'readonly',
        module: 'writable',
        exports: 'writable',
        require: 'readonly',
      },
    },
  },
);
