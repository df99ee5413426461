import { OpenAPIHono } from '@hono/zod-openapi'
import { validationProblem } from './problem.ts'

/** Routes whose failed validations are problems too. */
export function createRouter(): OpenAPIHono {
  return new OpenAPIHono({
    defaultHook: (result, c) => (result.success ? undefined : validationProblem(c, result.error)),
  })
}
