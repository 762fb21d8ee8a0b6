/** What the engine needs of the contract besides what plugins do: how secrets are written into texts, and found in them. */

export { asJson } from './json.ts'
export type { SealedSecret } from './secret.ts'
export {
  holdsSecret,
  keepMasked,
  mapSecretPlaces,
  mapTexts,
  maskText,
  replaceSecrets,
  writeSecret,
} from './secret.ts'
