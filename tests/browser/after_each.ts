import { afterEach } from 'vitest';
import { closePages } from './app';

afterEach(closePages);
