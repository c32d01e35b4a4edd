import { expect, test } from 'vitest';
import { blocksOf, partsOf } from '../../../src/app/ui/markdown';
import { RULE_LIST } from '../../../src/config/rule_list';
import { block, code, escaped, tableOf } from '../../../src/handoff/markdown';
import { rulePage } from '../../../src/handoff/rule_pages';
import { FULL } from '../../full';

const HOSTILE = [
  'a*b_c_ `d` | <e> \\f & &amp; [g](h) ~i~',
  '# no heading',
  '- no item',
  '1. no item',
  '> no quote',
];

test('texts come back as they were before they were escaped', () => {
  for (const text of HOSTILE) {
    expect(partsOf(escaped(text))).toEqual([{ kind: 'text', text }]);
    expect(partsOf(`x ${code(text)} y`)[1]).toEqual({ kind: 'code', text });
    expect(blocksOf(tableOf(['head', text], [[text, 'cell']]))).toEqual([
      {
        kind: 'table',
        head: [[{ kind: 'text', text: 'head' }], [{ kind: 'text', text }]],
        rows: [[[{ kind: 'text', text }], [{ kind: 'text', text: 'cell' }]]],
      },
    ]);
    expect(blocksOf(block('yaml', `${text}\n\n  ${text}`))).toEqual([
      { kind: 'code', text: `${text}\n\n  ${text}` },
    ]);
    expect(blocksOf(escaped(text))).toMatchObject([{ kind: 'paragraph' }]);
  }
});

test('a document is its blocks in their order', () => {
  const text = '# A\n\nb\nc **d**\n\n> **high** e\n\n- [ ] f\n- [x] g\n\n1. h\n2. i';
  expect(blocksOf(text)).toEqual([
    { kind: 'heading', level: 1, parts: [{ kind: 'text', text: 'A' }] },
    {
      kind: 'paragraph',
      parts: [
        { kind: 'text', text: 'b c ' },
        { kind: 'strong', text: 'd' },
      ],
    },
    {
      kind: 'quote',
      parts: [
        { kind: 'strong', text: 'high' },
        { kind: 'text', text: ' e' },
      ],
    },
    {
      kind: 'list',
      numbered: false,
      items: [
        { done: false, parts: [{ kind: 'text', text: 'f' }] },
        { done: true, parts: [{ kind: 'text', text: 'g' }] },
      ],
    },
    {
      kind: 'list',
      numbered: true,
      items: ['h', 'i'].map((one) => ({ done: undefined, parts: [{ kind: 'text', text: one }] })),
    },
  ]);
});

test('nothing of the pages about rules is left as markup', () => {
  for (const rule of FULL ? RULE_LIST : RULE_LIST.slice(0, 2))
    for (const one of blocksOf(rulePage(rule)))
      if (one.kind === 'paragraph' || one.kind === 'quote')
        for (const { kind, text } of one.parts)
          if (kind === 'text') expect(text, rule.id).not.toMatch(/\*\*|`|^#/);
});
