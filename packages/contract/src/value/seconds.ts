import { z } from 'zod'

/** Times of DNS are in seconds (RFC 2181, section 8). */
export const seconds = z.number().int().min(0).max(2_147_483_647)
