/**
 * Runs a job that Ctrl-C, or a signal to end, stops as the page's button does: after what is under way. The second signal of
 * a kind ends the process at once, as the system does it.
 */
export async function runStoppable(job: { run(): Promise<unknown>; stop(): void }): Promise<void> {
  const stop = (): void => {
    console.error('Stopping after what is under way; once more to end at once.');
    job.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  try {
    await job.run();
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
}
