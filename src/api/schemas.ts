import { z } from '@hono/zod-openapi'
import { parseAccount } from '../ledger/account.ts'
import { parseAsset } from '../ledger/asset.ts'
import { KnownError } from '../ledger/errors.ts'
import { Problem } from './problem.ts'

/** A parser of the ledger as a schema: its own words become the message. */
export function parsedBy<T>(parse: (text: string) => T) {
  return (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof KnownError)) throw error
      context.addIssue({ code: 'custom', message: `${error.message}. ${error.hint ?? ''}`.trim() })
      return z.NEVER
    }
  }
}

const accountText = z.string().max(200).openapi({
  example: 'eip155:1:0x8576aCC5C05D6Ce88f4e49bf65BdF0C62F91353C',
  description: 'CAIP-10; a mixed-case address must carry its checksum',
})

export const AccountText = accountText.transform(parsedBy((text) => parseAccount(text)))

export const AssetText = z
  .string()
  .max(300)
  .openapi({ example: 'eip155:1/slip44:60', description: 'CAIP-19' })
  .transform(parsedBy(parseAsset))

/** Base units as decimal digits: JSON numbers lose precision above 2^53. */
export const BaseUnits = z.string().openapi('BaseUnits', {
  example: '1500000000000000000',
  description: 'Smallest units of the asset',
})

const failures = {
  400: 'The request is wrong; errors names each field',
  403: 'Host or Origin is not this service',
  404: 'Not found',
  409: 'Ambiguous or in conflict',
  413: 'The body is too large',
  415: 'The body is of another type',
  422: 'Understood, but not possible',
  501: 'Not in this version',
  503: 'Busy or not available; try again',
} as const

/** The failures that every route may answer, for the API description. */
export const problems = Object.fromEntries(
  Object.entries(failures).map(([status, description]) => [
    status,
    { description, content: { 'application/problem+json': { schema: Problem } } },
  ]),
) as Record<
  keyof typeof failures,
  { description: string; content: { 'application/problem+json': { schema: typeof Problem } } }
>

export function json<S extends z.ZodType>(schema: S, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

export const Page = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .openapi({ description: '1 to 1000' }),
  cursor: z
    .string()
    .max(2000)
    .optional()
    .openapi({ description: 'next_cursor of the page before' }),
}

/** Which money is meant, and where its trace ends: what every question about seeds takes. */
export const seedFields = {
  seeds: z
    .array(z.string().max(300))
    .max(10_000)
    .optional()
    .openapi({ description: 'Transfer ids or transaction hashes' }),
  seedAddresses: z.array(AccountText).max(1000).optional(),
  side: z.enum(['received', 'sent']).optional(),
  asset: AssetText.optional(),
  since: z.int().min(0).optional().openapi({ description: 'Seconds since 1970' }),
  until: z.int().min(0).optional(),
  asOf: z.record(z.string().max(50), z.int().min(0)).optional(),
  continueThrough: z.array(AccountText).max(1000).optional(),
  neverFollow: z.array(AccountText).max(1000).optional(),
  resolve: z
    .array(z.strictObject({ tx: z.string().max(200), account: AccountText, asset: AssetText }))
    .max(1000)
    .optional()
    .openapi({
      description: 'Which asset an account got in a transaction where several are credible',
    }),
}
