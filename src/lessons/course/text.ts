/** The frame's own words, and the languages in which lessons are read. One file a language here and in each lesson's folder. */
import { de } from './de';
import { en, type FrameText } from './en';

export type Language = 'en' | 'de';
export type { FrameText } from './en';

export const FRAME_TEXTS: Readonly<Record<Language, FrameText>> = { en, de };

export const LANGUAGES: readonly { readonly value: Language; readonly label: string }[] = [
  { value: 'en', label: 'English' },
  { value: 'de', label: 'Deutsch' },
];

/** The language of that name, or English. */
export const languageOf = (name: string | null): Language =>
  LANGUAGES.find(({ value }) => value === name)?.value ?? 'en';
