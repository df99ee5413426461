import {
  JsonRpcApiProvider,
  type JsonRpcError,
  type JsonRpcPayload,
  type JsonRpcResult,
  Network,
} from 'ethers'
import { type RpcNode, RpcRefusal } from './node.ts'

/**
 * An ethers provider whose calls go through our transport: for what ethers does well, such as calls by ABI. It asks
 * nothing by itself: the chain is known, nothing is cached, nothing polled.
 *
 * @param chainId - as the node was already asked.
 */
export function ethersProvider(node: RpcNode, chainId: number): JsonRpcApiProvider {
  return new NodeProvider(node, Network.from(chainId))
}

class NodeProvider extends JsonRpcApiProvider {
  readonly #node: RpcNode

  constructor(node: RpcNode, network: Network) {
    super(network, { staticNetwork: network, batchMaxCount: 1, cacheTimeout: -1 })
    this.#node = node
    this._start()
  }

  override async _send(
    payload: JsonRpcPayload | JsonRpcPayload[],
  ): Promise<(JsonRpcResult | JsonRpcError)[]> {
    const payloads = Array.isArray(payload) ? payload : [payload]
    return Promise.all(payloads.map((one) => this.#answer(one)))
  }

  /** A refusal is handed on, since ethers reads reverts from it; any other fault is thrown as ours. */
  async #answer({ id, method, params }: JsonRpcPayload): Promise<JsonRpcResult | JsonRpcError> {
    try {
      const result = await this.#node.call(method, Array.isArray(params) ? params : [params])
      return { id, result } as JsonRpcResult
    } catch (error) {
      if (!(error instanceof RpcRefusal)) throw error
      return {
        id,
        error: { code: error.rpcCode, message: error.words, data: error.data },
      } as JsonRpcError
    }
  }
}
