import { htmlText } from '../ledger/text.ts'

interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
  }[]
  readonly requestBody?: unknown
  readonly responses?: Readonly<Record<string, { readonly description?: string }>>
}

interface Document {
  readonly info: { readonly title: string; readonly version: string }
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f3f3f0;border-radius:4px;padding:.1rem .3rem}
section{border-top:1px solid #ccc;padding:1rem 0}h2{font-size:1.05rem;margin:0}.method{font-weight:700;text-transform:uppercase}
table{border-collapse:collapse}td,th{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top}a{color:#0b57a4}`

/** The API on one page, made from its own description: no script, nothing from elsewhere. */
export function docsPage(document: Document): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => section(path, method, operation)),
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${htmlText(document.info.title)}</title><style>${style}</style></head><body><main>
<h1>${htmlText(document.info.title)} ${htmlText(document.info.version)}</h1>
<p>Amounts are decimal strings of base units. Failures are <code>application/problem+json</code>, each code explained at
<a href="/errors">/errors</a>. The machine-readable description is <a href="/openapi.json">/openapi.json</a>.</p>
${operations.join('\n')}</main></body></html>`
}

function section(path: string, method: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).map(
    (p) =>
      `<tr><td><code>${htmlText(p.name)}</code></td><td>${htmlText(p.in)}${p.required ? ', required' : ''}</td><td>${htmlText(p.description ?? '')}</td></tr>`,
  )
  const responses = Object.entries(operation.responses ?? {}).map(
    ([status, response]) =>
      `<tr><td>${htmlText(status)}</td><td>${htmlText(response.description ?? '')}</td></tr>`,
  )
  const table = parameters.length > 0 ? `<table>${parameters.join('')}</table>` : ''
  const body = operation.requestBody
    ? '<p>Takes a JSON body; its form is in the description.</p>'
    : ''
  return `<section><h2><span class="method">${htmlText(method)}</span> <code>${htmlText(path)}</code></h2>
<p>${htmlText(operation.summary ?? '')} ${htmlText(operation.description ?? '')}</p>${table}${body}
<details><summary>Answers</summary><table>${responses.join('')}</table></details></section>`
}

/** Every error code with its meaning. */
export function errorsPage(
  codes: readonly (readonly [string, { readonly status: number; readonly text: string }])[],
): string {
  const rows = codes.map(
    ([code, { status, text }]) =>
      `<tr id="${htmlText(code)}"><td><code>${htmlText(code)}</code></td><td>${status}</td><td>${htmlText(text)}</td></tr>`,
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Errors</title><style>${style}</style></head><body><main><h1>Errors</h1><table>${rows.join('')}</table></main></body></html>`
}
