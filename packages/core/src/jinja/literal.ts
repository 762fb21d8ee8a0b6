/**
 * A text written as a template that gives it back as it is: `{{ '{' }}` for a brace that would begin something. A text
 * that is no template stays as it is, so that most are stored as they were given.
 *
 * A brace at the very end is written so, too: another text may be joined to it.
 */
export function writeLiteral(text: string): string {
  if (!/\{(?:[{%#]|$)/.test(text)) return text
  // A template's line ends become \n: a \r that shall stay is written, too.
  return text.replace(/\{(?=[{%#]|$)|\r/g, character => (character === '{' ? "{{ '{' }}" : "{{ '\\r' }}"))
}
