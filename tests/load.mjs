// `node tests/load.mjs MODULE [ARGUMENT…]`: runs the main of a TypeScript module of tests/, given by its path there.
import { runModule } from '../src/cli/load.mjs';

const [module, ...args] = process.argv.slice(2);
await runModule(`tests/${module}`, args);
