/** The project's own rule of lint, for ESLint and oxlint: which rooms of src may import from which. */
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const LOW = ['config', 'models', 'eeg', 'checkpoints', 'engine', 'base'];
const RUNS = ['run', ...LOW];
const MIDDLE = ['detection', 'training', 'estimate', 'handoff', 'lessons'];

/** The rooms of src and the rooms that each may import besides itself (ARCHITECTURE.md has the picture). */
const MAY_IMPORT = {
  app: ['ui', ...MIDDLE, ...RUNS],
  cli: [...MIDDLE, ...RUNS],
  lessons: ['ui', ...RUNS],
  handoff: ['estimate', ...LOW],
  training: ['detection', ...RUNS],
  detection: RUNS,
  estimate: LOW,
  ui: RUNS,
  run: ['eeg', 'engine', 'base'],
  config: ['base'],
  models: ['engine', 'base'],
  eeg: ['engine', 'base'],
  checkpoints: ['engine', 'base'],
  engine: ['base'],
  base: [],
};

/** Files of data, which every room may read. */
const DATA = ['configs', 'package.json', 'security_headers'];

/** Rooms that import nothing of a room above, not even the types of a protocol. */
const ALONE = ['base', 'engine', 'config'];

/** Splits a path of the repository: `src/app/x.ts` is in room `app`, `src/app/ui/x.ts` in `ui`, `shaders/x.wgsl` in `shaders`. */
function roomOf(path) {
  const [top, room, ...rest] = relative(root, path).split(sep);
  if (top !== 'src') return top;
  if (room === 'app' && rest[0] === 'ui') return 'ui';
  return rest.length > 0 ? room : 'src';
}

/** Says why `from` may not import `to`, or nothing where it may. */
function refusal(from, to, path, typeOnly) {
  if (to === from || DATA.includes(to) || MAY_IMPORT[from]?.includes(to)) return undefined;
  if (to === 'shaders') return from === 'engine' ? undefined : 'Only engine imports shaders.';
  if (!(from in MAY_IMPORT)) return `"${from}" is not a room of src.`;
  if (!(to in MAY_IMPORT)) return `"${from}" may not import from "${to}", which is not a room of src.`;
  if (typeOnly && !ALONE.includes(from) && /[\\/]protocol(\.ts)?$/.test(path)) return undefined;
  return `"${from}" may not import from "${to}": imports go app, cli → lessons, handoff → training → detection, estimate, app/ui → run → config, models, eeg, checkpoints → engine → base.`;
}

const importDirection = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    function check(node, specifier, typeOnly = false) {
      if (typeof specifier !== 'string' || !specifier.startsWith('.')) return;
      const path = resolve(dirname(context.filename), specifier.replace(/\?.*$/, ''));
      const message = refusal(roomOf(context.filename), roomOf(path), path, typeOnly);
      if (message) context.report({ node, message });
    }
    const allTypes = ({ specifiers }, kind) =>
      specifiers.length > 0 && specifiers.every((s) => s[kind] === 'type');
    return {
      ImportDeclaration: (node) =>
        check(node, node.source.value, node.importKind === 'type' || allTypes(node, 'importKind')),
      ExportNamedDeclaration: (node) =>
        check(node, node.source?.value, node.exportKind === 'type' || allTypes(node, 'exportKind')),
      ExportAllDeclaration: (node) => check(node, node.source.value, node.exportKind === 'type'),
      ImportExpression: (node) => check(node, node.source.value),
      TSImportType: (node) => check(node, node.source?.value ?? node.argument?.literal?.value, true),
      // Workers are started from `new URL('../training/worker.ts', import.meta.url)`.
      'NewExpression[callee.name="URL"][arguments.1.object.type="MetaProperty"]': (node) =>
        check(node, node.arguments[0].value),
    };
  },
};

export default { meta: { name: 'house' }, rules: { 'import-direction': importDirection } };
