// npm runs `prepare`, and not `prepack`, where it makes a package of a git repository, as for `npm install --global git+…`, by which
// pre-commit installs hooks. Its own installation for that is a global one too, which leaves none of the tools here. After
// `npm ci` in a checkout `prepare` is run as well, and nothing has to be built.
import { execSync } from 'node:child_process';

if (process.env.INIT_CWD !== process.cwd())
  for (const command of ['ci --no-global --include=dev --ignore-scripts --no-audit', 'run prepack'])
    execSync(`npm ${command}`, { stdio: 'inherit' });
