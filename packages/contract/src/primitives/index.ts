/** What the contract of the API and that of plugins both stand on: plain JSON, texts that can be kept, errors, secrets. */

export type { AnyContractorError, ContractorErrorOptions, ErrorCode, ErrorData, WireError } from './error.ts'
export { ContractorError, isContractorError, parseInput, taskFailed, toWireError, wireError } from './error.ts'
export type { Json } from './json.ts'
export { asJson, json, mendJson, reportedJson } from './json.ts'
export { findNear, nameUnknown } from './near-name.ts'
export type { SealedSecret } from './secret.ts'
export {
  holdsSecret,
  keepMasked,
  mapSecretPlaces,
  mapTexts,
  maskSecrets,
  maskText,
  replaceSecrets,
  secret,
  secretMask,
  writeSecret,
} from './secret.ts'
export { cutText, findUnstorable, isStorable, mendText } from './text.ts'
