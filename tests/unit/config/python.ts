/** Python with a module, for tests against the original; Debian's interpreter may not be the first on the path. */
import { spawnSync } from 'node:child_process';

/** What the trainer needs to read a configuration. */
export const PYDANTIC = {
  modules: 'pydantic, yaml',
  check: 'assert pydantic.VERSION.startswith("2.")',
  how: 'pip install pydantic pyyaml',
} as const;

/** The interpreter, or undefined, said aloud: what the tests skip and how to have it. */
export function pythonWith(modules: string, how: string, check = 'pass'): string | undefined {
  const found = ['python3', '/usr/bin/python3'].find(
    (candidate) => spawnSync(candidate, ['-c', `import ${modules}\n${check}`]).status === 0,
  );
  if (found === undefined)
    console.warn(`Tests against ${modules} are skipped: no python3 here has what they need (${how}).`);
  return found;
}

/** Runs a program, or the file of one, on JSON and returns the JSON that it prints; throws what it says on stderr. */
export function runPython(python: string, program: string, input: unknown): unknown {
  const { stdout, stderr, status } = spawnSync(
    python,
    program.endsWith('.py') ? [program] : ['-c', program],
    {
      input: JSON.stringify(input),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  if (status !== 0 || stderr !== '') throw new Error(stderr || `python ended with ${status}`);
  return JSON.parse(stdout);
}

/** Python's values as JSON that tells its types apart: `load(text)` gives such a value or null where it raises. */
export const LOADER = `
import datetime, json, sys, yaml
def plain(value):
    if value is None or isinstance(value, bool): return [type(value).__name__, value]
    if isinstance(value, (int, float)): return ['number', repr(float(value))]
    if isinstance(value, str): return ['str', value]
    if isinstance(value, (datetime.date, datetime.datetime)): return ['date', '']
    if isinstance(value, list): return ['list', [plain(one) for one in value]]
    if isinstance(value, dict): return ['dict', sorted([[plain(k), plain(v)] for k, v in value.items()], key=str)]
    return ['other', repr(value)]
def load(text):
    try:
        return plain(yaml.safe_load(text))
    except Exception:
        return None
json.dump([load(text) for text in json.load(sys.stdin)], sys.stdout)
`;
