/** Whether an error is one of the system, of a file that is not there or may not be read or written; its message names the file. */
export const isFileError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error;
