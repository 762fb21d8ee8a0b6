/**
 * Resource files may write the names of config values with their prefix and class as they are, `>package_list:VCenter =`,
 * where TOML wants quotes: these are put in. Lines stay lines, so that messages keep their places.
 *
 * Strings and comments are passed over whole; whatever then stands before `=` at the beginning of a line is a key.
 */
const pieces =
  /"""(?:\\[\s\S]|[^\\])*?"""+|'''[\s\S]*?'''+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|^(?<indent>[ \t]*)(?<key>[<>~-]?[a-zA-Z0-9][a-zA-Z0-9_-]*(?::[a-zA-Z0-9]+)?)(?=[ \t]*=)/gm

export function quoteKeys(text: string): string {
  return text.replace(pieces, (piece, ...given) => {
    const { indent, key } = given.at(-1) as { indent?: string; key?: string }
    return key !== undefined && /[<>~:]/.test(key) ? `${indent}"${key}"` : piece
  })
}
