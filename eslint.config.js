// What no formatter sees in the page's modules: names that nothing defines, leftovers, lines too long to read.
import globals from 'globals';

const rules = {
  'no-undef': 'error',
  'no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none', ignoreRestSiblings: true }],
  'no-restricted-globals': [
    'error',
    { name: 'globalThis', message: 'Export it, or pass it.' },
    { name: 'event', message: 'Take the parameter.' },
    { name: 'name', message: 'Name a variable.' },
    { name: 'status', message: 'Name a variable.' },
  ],
  'max-len': ['error', { code: 120 }],
  'no-constant-binary-expression': 'error',
  'no-dupe-else-if': 'error',
  'no-self-compare': 'error',
  'no-unreachable': 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  eqeqeq: ['error', 'always', { null: 'ignore' }],
};

export default [
  {
    files: ['embviz/templates/js/**/*.js'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: globals.browser },
    rules,
  },
  {
    files: ['embviz/templates/js/runs/worker.js'],
    languageOptions: { globals: globals.worker },
  },
  {
    files: ['tests/js/**/*.js'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: globals.node },
    rules,
  },
];
