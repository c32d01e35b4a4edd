/** The training worker's entry: see protocol.ts for what it understands. */
import { expose } from 'comlink';
import { storedChoices } from '../../run/kernel_choices';
import { TrainingService } from './service';

expose(new TrainingService(navigator.gpu, storedChoices()));
