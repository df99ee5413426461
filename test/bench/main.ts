import { cpus, totalmem } from 'node:os'
import { benchAnalysts } from './analysts.ts'
import { benchBounds } from './bounds.ts'
import { benchCases } from './cases.ts'
import { benchCypher } from './cypher.ts'
import { benchEconomy } from './economy.ts'
import { benchGenerations } from './generations.ts'
import { benchGraph } from './graph.ts'
import { benchImport } from './import.ts'
import { benchIngest } from './ingest.ts'
import { benchMethods } from './methods.ts'
import { benchNeo4j } from './neo4j.ts'
import { benchProof } from './proof.ts'
import { benchReach } from './reach.ts'
import { benchRegistries } from './registries.ts'
import { benchTraces } from './traces.ts'
import { benchTransport } from './transport.ts'

/** `npm run bench [-- ingest|import|graph|generations|methods|traces|reach|bounds|registries|proof|neo4j|cypher|cases|analysts|transport|economy]`: figures with a peer in the same run and the answers compared. */
const [cpu] = cpus()
console.log(
  `${cpus().length} × ${cpu?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
)
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'))
const all: Readonly<Record<string, () => Promise<void>>> = {
  ingest: benchIngest,
  import: benchImport,
  graph: benchGraph,
  generations: benchGenerations,
  methods: benchMethods,
  traces: benchTraces,
  reach: benchReach,
  bounds: benchBounds,
  registries: benchRegistries,
  proof: benchProof,
  neo4j: benchNeo4j,
  cypher: benchCypher,
  cases: benchCases,
  analysts: benchAnalysts,
  transport: benchTransport,
  economy: benchEconomy,
}
for (const name of wanted.length > 0 ? wanted : Object.keys(all)) {
  const bench = all[name]
  if (!bench) throw new RangeError(`there is no bench ${name}: ${Object.keys(all).join(', ')}`)
  await bench()
}
