/** Whether an error is that of a file that is not there or may not be read, whose message a person understands. */
export const isFileError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(String(error.code));
