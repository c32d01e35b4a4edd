import { spawnSync } from 'node:child_process';

/** Debian's interpreter, which has python3-torch, may not be the first on the path. */
const CANDIDATES = ['python3', '/usr/bin/python3'];

/** A Python that has PyTorch; says aloud where there is none. */
export const pythonWithTorch = CANDIDATES.find((python) => run(python, 'import torch').status === 0);

if (pythonWithTorch === undefined)
  console.warn(
    'Tests against PyTorch are skipped: no python3 here can import torch (on Debian: python3-torch).',
  );

function run(python: string, script: string, ...args: string[]) {
  return spawnSync(python, ['-c', script, ...args], { encoding: 'utf8', timeout: 120_000 });
}

/** Runs a script with PyTorch and returns the JSON that it prints. */
export function torch(script: string, ...args: string[]): unknown {
  if (pythonWithTorch === undefined) throw new Error('there is no PyTorch here');
  const { status, stdout, stderr } = run(pythonWithTorch, script, ...args);
  if (status !== 0) throw new Error(`python3 ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout);
}
