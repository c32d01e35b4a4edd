/** The EEG worker's entry: see protocol.ts for what it understands. */
import '../base/trusted_types';
import { expose } from 'comlink';
import { storedChoices } from '../run/kernel_choices';
import { EegService } from './service';

expose(new EegService(navigator.gpu, storedChoices()));
