/** Whose a recording is, by names and header. */

export type PatientSource = 'file name' | 'folder' | 'header' | 'none';

/** Names of recordings that start with their patient. */
const NAMED_BY_PATIENT = [
  /^([a-z0-9]{8})_s\d{3}(?:_\d{4})?_t\d{3}\b/i, // TUSZ, both versions
  /^(chb\d{2})[a-c]?_\d/i, // CHB-MIT; chb01 and chb21 are one girl, which their names do not say
  /^sub-([a-z0-9]+)_/i, // BIDS
  /^(PN\d{2})-\d/i, // Siena
  /^(P_ID\d+)_r\d/i, // SeizeIT1
  /^((?:patient|subject|pat|subj)[-_ ]?\d+)[-_ .]/i,
];

const NAMED_FOLDER = /^(sub-[a-z0-9]+|(?:patient|subject|pat|subj)[-_ ]?\d+|chb\d{2}|PN\d{2}|P_ID\d+)$/i;

/**
 * The patient of a recording by its file's name, a folder's, or the patient field of the header: in EDF+ code, sex, birth
 * date and name, in EDF any text; what is anonymised (X, or nothing) names nobody.
 */
export function patientOf(
  path: string,
  header = '',
): { readonly patient: string; readonly patientFrom: PatientSource } {
  const [name = path, ...folders] = path.split('/').reverse();
  for (const pattern of NAMED_BY_PATIENT) {
    const patient = pattern.exec(name)?.[1];
    if (patient !== undefined) return { patient: patient.toLowerCase(), patientFrom: 'file name' };
  }
  const folder = folders.find((folder) => NAMED_FOLDER.test(folder));
  if (folder !== undefined)
    return { patient: folder.toLowerCase().replace(/^sub-/, ''), patientFrom: 'folder' };
  // EDF+ writes code, sex, birth date and name; sex and birth date are no name.
  const parts = header.trim().split(/\s+/);
  const isPlus = parts.length >= 4 && /^[mfx]$/i.test(parts[1] ?? '');
  const names = (isPlus ? [parts[0] ?? '', ...parts.slice(3)] : parts).filter(
    (part) => /[\p{L}\d]/u.test(part) && !/^(x+|anonym\w*|unknown|none)$/i.test(part),
  );
  if (names.length > 0) return { patient: names.join(' ').toLowerCase(), patientFrom: 'header' };
  return { patient: path.toLowerCase(), patientFrom: 'none' };
}
