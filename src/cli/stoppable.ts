/** Runs a job that Ctrl-C, or a signal to end, stops as the page's button does: after what is under way. */
export async function runStoppable(job: { run(): Promise<unknown>; stop(): void }): Promise<void> {
  const stop = (): void => job.stop();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  try {
    await job.run();
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
}
