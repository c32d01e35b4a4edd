/** All that commands print. Names and values come from files of strangers, and a terminal obeys some characters. */
import { visible } from '../base/text';

/** Characters of a line for persons. */
const MAX_LINE = 2000;

/** A result, to standard output. */
export const print = (text: string): void => console.log(visible(text, Infinity));

/** A remark or an error, to standard error. */
export const complain = (text: string): void =>
  console.error(
    text
      .split('\n')
      .map((line) => visible(line, MAX_LINE))
      .join('\n'),
  );
