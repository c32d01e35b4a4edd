import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RULE_LIST } from '../../../src/config/rule_list';
import { issuesIn, rulePages } from '../../../src/handoff/rule_pages';

const FOLDER = join(import.meta.dirname, '../../../docs/rules');

test('the pages in docs/rules are those of the rules as they are; npm run rules writes them', () => {
  const pages = rulePages();
  expect(readdirSync(FOLDER).sort()).toEqual(pages.map(({ name }) => name).sort());
  for (const { name, text } of pages) expect(readFileSync(join(FOLDER, name), 'utf8'), name).toBe(text);
});

// Of the rules themselves, the tests of the rules.
test.each(RULE_LIST.filter(({ id }) => /^(yaml|validation-error|ignore-comment)$/.test(id)))(
  'the examples of $id are what they say',
  ({ id, examples }) => {
    expect(issuesIn(examples!.bad).map((issue) => issue.id)).toContain(id);
    expect(issuesIn(examples!.good).map((issue) => issue.id)).not.toContain(id);
  },
);
