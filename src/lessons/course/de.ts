import type { FrameText } from './en';
import { say as sayIn } from './step';

/** With a comma. */
export const say = (value: number): string => sayIn(value, 'de-DE');

const list = (values: readonly string[]): string =>
  values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} und ${values.at(-1) ?? ''}`;

/** German. */
export const de: FrameText = {
  say,
  step: (number, of) => `Schritt ${number} von ${of}`,
  transfer: 'Übertragen',
  predict: 'Ihre Schätzung',
  guess: 'Das schätze ich',
  answer: 'Das ist meine Antwort',
  again: 'Noch einmal schätzen',
  incomplete: 'Wählen oder schreiben Sie zuerst Ihre Schätzung.',
  waiting: 'Wird berechnet',
  reveal: 'Antwort',
  explore: 'Ausprobieren',
  saidNumbers: (guess, answer, unit) =>
    `Ihre Schätzung: ${list(guess.map(say))}${unit}. Gemessen: ${list(answer.map(say))}${unit}.`,
  saidOptions: (guess, answer) =>
    `Ihre Schätzung: ${guess.length > 0 ? list(guess) : 'nichts'}. Gemessen: ${answer.length > 0 ? list(answer) : 'nichts'}.`,
  understood: 'Auf 5 % genau: verstanden.',
  notYet: 'Mehr als 5 % daneben. Ändern Sie die Schätzung und versuchen Sie es noch einmal.',
  recorded: 'Vorher aufgezeichnet: Dieser Browser kann es nicht trainieren.',
  why: 'Warum',
  checked: (difference) =>
    difference === 0
      ? 'Mit float64 verglichen: gleich'
      : `Mit float64 verglichen: größter Unterschied ${difference.toExponential(0)}`,
  float64: 'In float64 berechnet; Tabelle zeigen',
  noKernels: (reason) =>
    `Dieser Browser hat kein WebGPU (${reason}). Die Lektionen werden in float64 berechnet; größere Modelle lassen sich hier nicht trainieren.`,
  table: 'Tabelle hinter dem Bild',
  columns: ['Kurve oder Balken', 'Stelle', 'Gemessen', 'float64'],
  guessed: 'Schätzung',
  measured: 'gemessen',
  back: 'Zurück',
  next: 'Weiter',
  present: 'Vorführen',
  leave: 'Ausprobieren (Vorführung verlassen)',
  notes: 'Für die Lehrkraft',
  ask: 'Fragen Sie',
  surprise: 'Was meist überrascht',
  path: 'Zehn Minuten',
  keys: '← → Schritte · Enter schätzt',
  presentKeys: '← → oder eine Fernbedienung: Schritte · Enter schätzt · Esc verlässt die Vorführung',
  row: 'Zeile',
  column: 'Spalte',
  seed: 'Startwert',
  language: 'Sprache',
  failed: 'Die Antwort ließ sich nicht berechnen',
  retry: 'Noch einmal',
};
