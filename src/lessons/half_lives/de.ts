import { say } from '../course/de';
import type { LessonText } from '../course/step';

const learnedAt = (step: number | undefined): string =>
  step === undefined || Number.isNaN(step) ? 'nicht gelernt' : `gelernt bei Schritt ${step}`;

/** German. */
export const de: LessonText = {
  title: 'Sechzehn Uhren in einem Kanal',
  about:
    'Jeder Kanal eines Mamba hat 16 Zustände, und jeder vergisst mit eigener Geschwindigkeit. Die Kurven rechnet der Scan-Kernel; die kleinen Modelle der Schritte 2 und 4 lernen, während Sie antworten. Gelernt haben sie, wenn 16 Testfolgen dreimal nacheinander alle richtig sind, geprüft alle 20 Schritte.',
  names: { before: 'vorher', after: 'nachher', noise: 'Rauschen', write: 'Schreiben' },
  path: 'Schritte 1, 2, 3 und der letzte. Öffnen Sie Schritt 2 früh: Seine vier Modelle lernen hinter der Frage.',
  steps: {
    ink: {
      question:
        'Ein Tropfen Tinte fällt in einen Kanal, und 16 Zustände verblassen mit 16 Geschwindigkeiten. Δ ist 0,05 und A ist −2. Nach wie vielen Token ist die Hälfte übrig?',
      unit: ' Token',
      labels: ['Token'],
      x: 'Token nach dem Tropfen',
      y: 'Anteil, der übrig ist',
      controls: { delta: 'Δ', a: '|A| der kräftigen Kurve' },
      reveal: ({ halfLife, delta, a, formula }) =>
        `Der Kernel misst ${say(halfLife as number)} Token für Δ = ${say(delta as number)} und A = −${a}. Die Formel ergibt ${say(formula as number)}.`,
      why: () =>
        'Jedes Token multipliziert den Zustand mit exp(Δ·A), also halbiert er sich immer nach gleich vielen Token.',
      formula: 'Halbwertszeit = ln 2 / (Δ·|A|)',
      ask: 'Was geschieht mit der Halbwertszeit, wenn Δ sich verdoppelt? Und für A = −16?',
      surprise:
        'Ein Kanal hat 16 Halbwertszeiten zugleich, um den Faktor 16 auseinander. Δ verschiebt alle gemeinsam.',
    },
    ruler: {
      question:
        'Vor dem Training reichen die Uhren eines Mamba von 0,4 bis 693 Token. Hier steht einer von vier Buchstaben 32 Token vor der Frage, dazwischen immer das gleiche Rauschen. Vier Modelle beginnen mit der langsamsten Halbwertszeit bei 2, 8, 32 oder 512 Token. Welche lernen es in 500 Schritten?',
      options: ['2 Token', '8 Token', '32 Token', '512 Token'],
      x: 'Trainingsschritte',
      y: 'Richtige Antworten in 16 Testfolgen, von 1',
      reveal: ({ at2, at8, at32, at512 }) =>
        `Von 2 aus: ${learnedAt(at2)}. Von 8: ${learnedAt(at8)}. Von 32: ${learnedAt(at32)}. Von 512: ${learnedAt(at512)}.`,
      why: () =>
        'Den Buchstaben erreicht ein Gradient, der 2^(−32/h) von dem eines nahen Tokens ist: ein 65.536stel für h = 2, ein Sechzehntel für h = 8. AdamW vergrößert kleine Gradienten wieder, darum kommt 8 spät; 2 kam auch in 3.000 Schritten nicht. In 500 Schritten, fünf Startwerte: 2 nie, 8 viermal, 32 und 512 immer, 512 später als 32.',
      formula: 'erster Gradient ∝ 2^(−Abstand / h)',
      ask: 'Welchen Anfang würden Sie wählen, wenn Sie den Abstand nicht kennen?',
      surprise: 'Die langsamsten Uhren lernen nicht am schnellsten. Die nächste Frage ist, warum.',
    },
    whisper: {
      question:
        'Von 2 Token aus ist es zu schnell. Von 512 aus wird unterwegs nichts vergessen, und doch lernte es bei jedem von fünf Startwerten später als von 32 aus. Warum?',
      options: [
        'Es vergisst den Buchstaben doch unterwegs',
        'Es schreibt den Buchstaben kaum',
        'Sein Gradient wird zu groß',
        'Es braucht mehr Zustände',
      ],
      x: 'Halbwertszeit h am Anfang',
      y: 'Was vom Buchstaben bei der Frage übrig ist',
      reveal: ({ ratio, left512, left32 }) =>
        `Bei der Frage hält 512 noch ${say(left512 as number)} und 32 noch ${say(left32 as number)}: ${say(ratio as number)}-mal so viel.`,
      why: () =>
        'Eine Uhr mit kleinem Δ schreibt auch wenig, denn was eintritt, ist Δ·B·u. Am meisten ist übrig, wo h nahe am Abstand liegt.',
      formula: 'übrig nach d Token = Δ·2^(−d/h), Δ = ln 2 / h',
      ask: 'Für welches h ist nach 32 Token am meisten übrig? (h = 32·ln 2 ≈ 22.)',
      surprise: 'Δ bestimmt zweierlei: wie lange ein Zustand behält und wie laut er geschrieben wird.',
    },
    stretched: {
      question:
        'Dieses Modell beginnt mit der langsamsten Halbwertszeit bei 8 Token und lernt jetzt. Es hat 128 Uhren, und keine beginnt bei 16 Token oder mehr. Wie viele sind dort, wenn es gelernt hat?',
      unit: ' Uhren',
      labels: ['Uhren'],
      x: 'Uhren, von der schnellsten zur langsamsten',
      y: 'Halbwertszeit in Token',
      reveal: ({ learned, long, clocks, slowest, before, after }) =>
        `Es wurde ${learnedAt(learned)}. Von ${clocks} Uhren ${long === 1 ? 'erreicht eine' : `erreichen ${long}`} 16 Token oder mehr; die langsamste hat ${say(slowest as number)} Token. Der Median ging von ${say(before as number)} auf ${say(after as number)}.`,
      why: () =>
        'Bei fünf Startwerten, von denen vier es in 700 Schritten lernen, dehnen sich eine bis vier Uhren auf 16 Token oder mehr, die langsamste auf 19 bis 61. Sie leisten die Arbeit. Die meisten bewegen sich kaum: Die Aufgabe gibt keinen Anlass.',
      formula: 'Halbwertszeit = ln 2 / (softplus(bias)·exp(A_log))',
      ask: 'Was wäre, wenn alle Uhren sich dehnen müssten?',
      surprise: 'Das Training verstellt nicht das ganze Lineal, nur wenige Striche.',
    },
    speeds: {
      question:
        'Ein selektives Modell hat gelernt, Buchstaben aus Rauschen abzuschreiben. Seine Uhren ändern sich mit jedem Token. Wie groß ist die mittlere Halbwertszeit (der Median) bei Rauschen, und wie groß bei dem Token, das einen Buchstaben schreibt (drei nach ihm)?',
      unit: ' Token',
      labels: ['Bei Rauschen', 'Wo geschrieben wird'],
      x: 'Uhren, in Prozent von der schnellsten an',
      y: 'Halbwertszeit in Token',
      reveal: ({ noise, write, ratio, noiseBeyond, writeBeyond }) =>
        `Bei Rauschen bleibt die Hälfte ${say(noise as number)} Token lang, wo geschrieben wird ${say(write as number)}: ${say(ratio as number)}-mal schneller. Länger als die Folge von 32 Token sind bei Rauschen ${say(Math.round(100 * (noiseBeyond as number)))} % der Uhren, wo geschrieben wird ${say(Math.round(100 * (writeBeyond as number)))} %.`,
      why: () =>
        'Δ folgt aus dem Token. Klein bei Rauschen: Die langsamen Uhren stehen fast still und behalten, was sie haben. Groß beim Schreiben: Altes rückt weiter, und der neue Buchstabe tritt ein.',
      formula: 'Halbwertszeit bei Token t = ln 2 / (Δ_t·|A|)',
      ask: 'Welche der beiden Geschwindigkeiten hat ein zeitinvariantes Modell?',
      surprise:
        'Dieselbe Uhr hat zwei Geschwindigkeiten. In sechs Modellen: 4 bis 20 Token bei Rauschen, 0,8 bis 2 beim Schreiben.',
    },
    transfer: {
      question:
        'Ein Detektor liest 16 Token in der Sekunde. Ein Zustand hat A = −1. Welches Δ behält die Hälfte eines Ereignisses 8 Sekunden lang?',
      labels: ['Δ'],
      x: 'Token nach dem Ereignis',
      y: 'Anteil, der übrig ist',
      reveal: ({ delta, halfLife }) =>
        `Mit Δ = ${say(delta as number)} halbiert sich der Impuls des Kernels in ${say(halfLife as number)} Token, das sind 8 Sekunden.`,
      why: () =>
        '8 Sekunden sind 128 Token, also ist Δ = ln 2 / 128. Mit A = −16 wäre es ein Sechzehntel davon.',
      formula: 'Δ = ln 2 / (|A|·Token)',
      ask: 'Und für A = −16?',
      surprise: 'Die Einheit ist das Token. Ohne Abtastrate sagt Δ nichts.',
    },
  },
};
