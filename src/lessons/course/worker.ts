/** The entry of the worker that computes the lessons: see protocol.ts for what it understands. */
import { expose } from 'comlink';
import { storedChoices } from '../../run/kernel_choices';
import { CourseService } from './service';

expose(new CourseService(navigator.gpu, storedChoices));
