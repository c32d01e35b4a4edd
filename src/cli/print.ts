/** All that commands print. Names and values come from files of strangers, and a terminal obeys some characters. */
import { visible } from '../base/text';

/** Characters of a line for persons. */
const MAX_LINE = 2000;

let quiet = false;

/** Whether results and progress are left out, for who reads exit codes and files alone. */
export const beQuiet = (on: boolean): void => void (quiet = on);
/** What `beQuiet` set last. */
export const isQuiet = (): boolean => quiet;

/** A result, to standard output. */
export const print = (text: string): void => {
  if (!quiet) console.log(visible(text, Infinity));
};

/** A remark or an error, to standard error. */
export const complain = (text: string): void =>
  console.error(
    text
      .split('\n')
      .map((line) => visible(line, MAX_LINE))
      .join('\n'),
  );
