/** The project's own rules of lint, for ESLint and oxlint: which rooms of src may import from which, and what has a comment. */
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The rooms of src and the rooms that each may import besides itself, as the table in ARCHITECTURE.md has them. */
export const MAY_IMPORT = {
  app: [
    ...['ui', 'lessons', 'handoff', 'training', 'detection', 'estimate', 'run'],
    ...['config', 'models', 'eeg', 'checkpoints', 'engine', 'base'],
  ],
  cli: [
    ...['handoff', 'training', 'detection', 'estimate', 'run'],
    ...['config', 'models', 'eeg', 'checkpoints', 'engine', 'base'],
  ],
  lessons: ['ui', 'run', 'models', 'eeg', 'engine', 'base'],
  handoff: ['estimate', 'config', 'base'],
  training: ['detection', 'run', 'config', 'models', 'eeg', 'checkpoints', 'engine', 'base'],
  detection: ['run', 'models', 'eeg', 'checkpoints', 'engine', 'base'],
  estimate: ['config', 'models', 'eeg', 'checkpoints', 'engine', 'base'],
  ui: ['run', 'engine', 'base'],
  run: ['eeg', 'engine', 'base'],
  config: ['base'],
  models: ['engine', 'base'],
  eeg: ['base'],
  checkpoints: ['base'],
  engine: ['base'],
  base: [],
};

/** Files of data, which every room may read. */
const DATA = ['configs', 'package.json', 'security_headers'];

/** The room of a path of the repository: `src/app/x.ts` is in room `app`, `src/app/ui/x.ts` in `ui`, `shaders/x.wgsl` in `shaders`. */
export function roomOf(path) {
  const [top, room, ...rest] = relative(root, path).split(sep);
  if (top !== 'src') return top;
  if (room === 'app' && rest[0] === 'ui') return 'ui';
  return rest.length > 0 ? room : 'src';
}

/** Says why `from` may not import `to`, or nothing where it may. */
function rejection(from, to) {
  if (to === from || DATA.includes(to) || MAY_IMPORT[from]?.includes(to)) return undefined;
  if (to === 'shaders') return from === 'engine' ? undefined : 'Only engine imports shaders.';
  if (!(from in MAY_IMPORT)) return `"${from}" is not a room of src.`;
  if (!(to in MAY_IMPORT)) return `"${from}" may not import from "${to}", which is not a room of src.`;
  return `"${from}" may not import from "${to}", only from: ${MAY_IMPORT[from].join(', ') || 'no room'} (ARCHITECTURE.md).`;
}

const importDirection = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    function check(node, specifier) {
      if (typeof specifier !== 'string' || !specifier.startsWith('.')) return;
      const path = resolve(dirname(context.filename), specifier.replace(/\?.*$/, ''));
      const message = rejection(roomOf(context.filename), roomOf(path));
      if (message) context.report({ node, message });
    }
    return {
      ImportDeclaration: (node) => check(node, node.source.value),
      ExportNamedDeclaration: (node) => check(node, node.source?.value),
      ExportAllDeclaration: (node) => check(node, node.source.value),
      ImportExpression: (node) => check(node, node.source.value),
      TSImportType: (node) => check(node, node.source?.value ?? node.argument?.literal?.value),
      // Workers are started from `new URL('../training/worker.ts', import.meta.url)`.
      'NewExpression[callee.name="URL"][arguments.1.object.type="MetaProperty"]': (node) =>
        check(node, node.arguments[0].value),
    };
  },
};

/** Whether a declaration is a function, or constants of which one is an arrow function. */
const declaresFunction = (declaration) =>
  declaration?.type === 'FunctionDeclaration' ||
  (declaration?.type === 'VariableDeclaration' &&
    declaration.declarations.some(({ init }) => init?.type === 'ArrowFunctionExpression'));

const documentedFunctions = {
  meta: { type: 'suggestion', schema: [] },
  create: (context) => ({
    ExportNamedDeclaration(node) {
      if (!declaresFunction(node.declaration)) return;
      const before = context.sourceCode.getCommentsBefore(node).at(-1);
      if (before?.type === 'Block' && before.value.startsWith('*')) return;
      const message =
        'An exported function has a comment: shapes, units, what it throws, its source, or when it is called.';
      context.report({ node, message });
    },
  }),
};

export default {
  meta: { name: 'house' },
  rules: { 'import-direction': importDirection, 'documented-functions': documentedFunctions },
};
