/** Keys that files of this trainer are seen with and that it does not know: what people expect of them. */
export const EXPECTED: Readonly<Record<string, string>> = {
  'training.gradient_accumulation_steps':
    'it is expected to sum the gradients of several batches before an optimizer step, but every batch is a step; use training.batch_size',
  'training.checkpoint_interval':
    'it is expected to save every so many epochs, but last.pt is written after each epoch whatever it says',
  'resources.compile_model': 'it is expected to switch torch.compile on, but the model is never compiled',
  'evaluation.mode':
    'it is expected to make a run that only evaluates, but train always trains; the command evaluate only evaluates, with annotations where build-cache has prepared the recordings in test/ below data.cache_dir',
  'evaluation.generate_submission': 'it is expected to write a submission file, but training writes none',
  'experiment.checkpoint_path':
    'it is expected to name a checkpoint to resume from, but --resume looks for checkpoints/last.pt below experiment.output_dir alone',
  'logging.tensorboard':
    'it is expected to switch TensorBoard’s log on, but training always writes one, to tensorboard below experiment.output_dir',
  'logging.save_predictions': 'it is expected to keep predictions, but none are written',
};
