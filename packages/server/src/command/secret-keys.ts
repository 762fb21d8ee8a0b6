/**
 * The keys to secrets, from CONTRACTOR_SECRET_KEY: 32 bytes in base64 each, several with commas between, of which the
 * first encrypts. In the environment and not in an option, since every user of a machine sees the options of a command.
 */
export function secretKeys(): { secretKey?: string[] } {
  const given = process.env.CONTRACTOR_SECRET_KEY?.split(',').filter(key => key.trim())
  return given?.length ? { secretKey: given } : {}
}
