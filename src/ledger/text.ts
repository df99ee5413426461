/**
 * Names, symbols, labels and reasons come from strangers: token contracts, packs, files. They are kept as
 * given and made harmless where they leave for a reader.
 */

// Control characters, zero-width and bidirectional marks, line separators, byte-order mark, soft hyphen,
// variation selectors and tag characters: all invisible, all used to make one name look like another.
const invisible =
  /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Co}|\p{Variation_Selector}|[\u115f\u1160\u3164\uffa0\ufff0-\uffff]|[\u{e0000}-\u{e0fff}]/gu

const longestText = 200

/**
 * Text that can be shown anywhere without changing what surrounds it: each invisible character becomes its
 * code point in brackets (`[U+202E]`), lone surrogates are replaced, and the length is capped at 200.
 *
 * HTML is not escaped here: who writes HTML escapes all of it.
 *
 * @example harmlessText('US\u202eDT') // 'US[U+202E]DT'
 */
export function harmlessText(text: string): string {
  const shown = text.toWellFormed().replace(invisible, codePoint)
  return shown.length <= longestText ? shown : `${shown.slice(0, longestText - 1).toWellFormed()}…`
}

function codePoint(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return `[U+${hex}]`
}

/**
 * One CSV cell from untrusted text, safe to open in a spreadsheet: a leading formula character, full-width
 * forms included, gets an apostrophe, and the cell is quoted where CSV asks for it.
 *
 * For text only: an amount is never passed through here, since a minus sign would be taken for a formula.
 */
export function csvTextCell(text: string): string {
  const shown = harmlessText(text)
  const guarded = /^\s*[=+\-@|%\uff0b\uff0d\uff1d\uff20]/u.test(shown) ? `'${shown}` : shown
  return /[",\n\r]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded
}

/** Text as HTML character data or attribute value. */
export function htmlText(text: string): string {
  return harmlessText(text).replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`)
}
