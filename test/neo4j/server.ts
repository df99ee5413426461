import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import neo4j, { type Config } from 'neo4j-driver'

/**
 * A real Neo4j for tests and for trying things out: one that is already there (NEO4J_URI), else one in Docker,
 * else one from Maven Central run by Java. It is a process of its own under its own licence (GPLv3), never linked
 * and never shipped.
 */

export const neo4jVersion = '5.26.16'

export interface Neo4jServer {
  /** `neo4j://127.0.0.1:<port>`, or NEO4J_URI. */
  readonly uri: string
  readonly from: 'given' | 'docker' | 'maven'
  readonly port: number
  /** Where the server writes what it says; absent for a server that was given. */
  readonly logFile?: string
  /** Ends it in order and waits until it is gone. Nothing happens to a server that was given. */
  stop(): Promise<void>
  /** Ends it as a power cut would end the process: SIGKILL. Only with Java. */
  kill(): Promise<void>
}

export interface Neo4jOptions {
  /** Folder of the data, configuration and log; made when absent. */
  readonly folder: string
  /** Default: any free one. */
  readonly port?: number
  /** Password of the user `neo4j`. Absent: no authentication, which only a server on loopback may do. */
  readonly password?: string
  /** PEM file to trust where `settings` make the server want encryption. */
  readonly caFile?: string
  /** Further lines of neo4j.conf. */
  readonly settings?: Readonly<Record<string, string>>
  /** Default 1g. */
  readonly heap?: string
  readonly say?: (line: string) => void
}

/** Why there can be no server on this machine, as a sentence for its user. */
export class NoNeo4j extends Error {}

/**
 * Starts a server and returns when it has answered a query.
 *
 * @throws NoNeo4j when neither Docker nor Java 17 with Maven is there, or the fetch fails.
 */
export async function startNeo4j(options: Neo4jOptions): Promise<Neo4jServer> {
  const given = process.env['NEO4J_URI']
  if (given) return { uri: given, from: 'given', port: Number(new URL(given).port), ...untouched }
  mkdirSync(options.folder, { recursive: true })
  const port = options.port ?? (await freePort())
  const server = hasDockerEngine()
    ? startInDocker(options, port)
    : startWithJava(options, port, fetchedJars(options.say))
  try {
    await answers(server, options)
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

const untouched = { stop: async () => undefined, kill: async () => undefined }

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

function hasDockerEngine(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0
}

interface Started extends Neo4jServer {
  /** Set once the process has ended. */
  ended(): string | undefined
}

function startWithJava(options: Neo4jOptions, port: number, jars: string): Started {
  const { folder, settings = {}, heap = '1g' } = options
  for (const name of ['conf', 'data', 'logs', 'plugins', 'run', 'import', 'lib', 'licenses'])
    mkdirSync(join(folder, name), { recursive: true })
  const lines = {
    'server.bolt.listen_address': `127.0.0.1:${port}`,
    'server.bolt.advertised_address': `127.0.0.1:${port}`,
    'server.http.enabled': 'false',
    'server.https.enabled': 'false',
    'dbms.usage_report.enabled': 'false',
    'dbms.security.auth_enabled': String(options.password !== undefined),
    'server.memory.pagecache.size': '1g',
    'db.tx_log.rotation.retention_policy': '100M size',
    ...settings,
  }
  const conf = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`)

  writeFileSync(join(folder, 'conf', 'neo4j.conf'), conf.join(''))
  const logFile = join(folder, 'logs', 'console.log')
  const opens = ['java.nio', 'java.io', 'sun.nio.ch', 'java.util.concurrent']
  const child = spawn(
    'java',
    [
      ...opens.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
      `-Xms${heap}`,
      `-Xmx${heap}`,
      '-XX:+UseG1GC',
      '-cp',
      join(jars, '*'),
      'org.neo4j.server.CommunityEntryPoint',
      `--home-dir=${folder}`,
      `--config-dir=${join(folder, 'conf')}`,
      '--console-mode',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const log = createWriteStream(logFile, { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  return { ...processServer(child), uri: `neo4j://127.0.0.1:${port}`, from: 'maven', port, logFile }
}

function processServer(child: ChildProcess): Pick<Started, 'ended' | 'stop' | 'kill'> {
  let ended: string | undefined
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = signal ?? `code ${code}`
      resolve()
    })
    child.once('error', (error) => {
      ended = error.message
      resolve()
    })
  })
  // A run that is interrupted must not leave a server behind.
  const cleanUp = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', cleanUp)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (ended === undefined) child.kill(signal)
    await gone
    process.off('exit', cleanUp)
  }
  return { ended: () => ended, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}

function startInDocker(options: Neo4jOptions, port: number): Started {
  const { folder, settings = {}, heap = '1g', password } = options
  const logFile = join(folder, 'console.log')
  const name = `jejak-neo4j-${process.pid}-${port}`
  const environment = {
    NEO4J_AUTH: password === undefined ? 'none' : `neo4j/${password}`,
    NEO4J_server_memory_heap_max__size: heap,
    NEO4J_server_bolt_advertised__address: `127.0.0.1:${port}`,
    NEO4J_dbms_usage__report_enabled: 'false',
    ...Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [
        `NEO4J_${key.replaceAll('_', '__').replaceAll('.', '_')}`,
        value,
      ]),
    ),
  }
  const child = spawn(
    'docker',
    [
      'run',
      '--rm',
      '--name',
      name,
      '-p',
      `127.0.0.1:${port}:7687`,
      '-v',
      `${join(folder, 'data')}:/data`,
      ...Object.keys(environment).flatMap((key) => ['-e', key]),
      `neo4j:${neo4jVersion}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } },
  )
  const log = createWriteStream(logFile, { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  const running = processServer(child)
  const end = async (command: readonly string[]): Promise<void> => {
    spawnSync('docker', [...command, name], { stdio: 'ignore' })
    await running.stop()
  }
  return {
    uri: `neo4j://127.0.0.1:${port}`,
    from: 'docker',
    port,
    logFile,
    ended: running.ended,
    stop: () => end(['stop']),
    kill: () => end(['kill']),
  }
}

/** Waits for the first answer, and gives a new server its password on the way. */
async function answers(server: Started, options: Neo4jOptions): Promise<void> {
  const until = Date.now() + 120_000
  for (;;) {
    const error = await firstQuery(server.uri, options)
    if (error === undefined) return
    const ended = server.ended()
    if (ended !== undefined || Date.now() > until) {
      const said = server.logFile && existsSync(server.logFile) ? tail(server.logFile) : ''
      throw new NoNeo4j(
        `Neo4j ${ended ? `stopped (${ended})` : 'does not answer'}: ${error}\n${said}`,
      )
    }
    await sleep(100)
  }
}

async function firstQuery(
  uri: string,
  { password, caFile }: Neo4jOptions,
): Promise<string | undefined> {
  const auth = password === undefined ? undefined : neo4j.auth.basic('neo4j', password)
  const config: Config = { maxTransactionRetryTime: 0 }
  if (caFile !== undefined) {
    config.encrypted = 'ENCRYPTION_ON'
    config.trust = 'TRUST_CUSTOM_CA_SIGNED_CERTIFICATES'
    config.trustedCertificates = [caFile]
  }
  const driver = neo4j.driver(uri, auth, config)
  try {
    await driver.executeQuery('RETURN 1', {}, { database: 'neo4j' })
    return undefined
  } catch (error) {
    const unset = (error as { code?: unknown }).code === 'Neo.ClientError.Security.Unauthorized'
    if (unset && password !== undefined) await setPassword(uri, password).catch(() => undefined)
    return error instanceof Error ? error.message : String(error)
  } finally {
    await driver.close()
  }
}

async function setPassword(uri: string, password: string): Promise<void> {
  const driver = neo4j.driver(uri, neo4j.auth.basic('neo4j', 'neo4j'))
  const session = driver.session({ database: 'system' })
  try {
    await session.run('ALTER CURRENT USER SET PASSWORD FROM $old TO $new', {
      old: 'neo4j',
      new: password,
    })
  } finally {
    await driver.close()
  }
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>jejak</groupId><artifactId>neo4j-for-tests</artifactId><version>1</version><dependencies>
<dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>${neo4jVersion}</version></dependency>
<dependency><groupId>org.neo4j.app</groupId><artifactId>neo4j-server</artifactId><version>${neo4jVersion}</version></dependency>
</dependencies></project>
`

/** The folder of the server's jars, fetched once per machine and version into the user's cache. */
function fetchedJars(say: (line: string) => void = () => undefined): string {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const version = Number(/version "(\d+)/.exec(java.stderr ?? '')?.[1] ?? 0)
  if (version < 17) {
    throw new NoNeo4j(
      'there is no Docker engine and no Java 17: install a Java runtime of version 17 or newer and Maven, or set NEO4J_URI',
    )
  }
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'jejak')
  const jars = join(cache, `neo4j-${neo4jVersion}`)
  if (existsSync(jars)) return jars
  say(`fetching Neo4j ${neo4jVersion} (116 MB, once) …`)
  const making = join(cache, `making-${process.pid}`)
  mkdirSync(making, { recursive: true })
  writeFileSync(join(making, 'pom.xml'), pom)
  const fetched = spawnSync(
    'mvn',
    [
      '-q',
      '-B',
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      '-DoutputDirectory=jars',
    ],
    { cwd: making, encoding: 'utf8' },
  )
  try {
    if (fetched.status !== 0) {
      const why = fetched.error?.message ?? `${fetched.stdout}${fetched.stderr}`.slice(-500)
      throw new NoNeo4j(
        `Neo4j could not be fetched with Maven (${why}): install Maven and check the network, or set NEO4J_URI`,
      )
    }
    if (!existsSync(jars)) renameSync(join(making, 'jars'), jars)
    return jars
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
}
