/** The store in a worker of its own: copying, hashing and writing a checkpoint take nothing from whoever trains. */
import { expose } from 'comlink';
import { CheckpointStore } from './store';

expose(new CheckpointStore());
