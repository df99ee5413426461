import { type AssetId, parseAsset } from './asset.ts'

export interface TokenInfo {
  readonly symbol: string
  readonly name: string
  readonly decimals: number
}

/** Version of the table below; part of every answer through the digest of the token list. */
export const knownTokensVersion = 'jejak-tokens/1'

/** chain, contract, symbol, name, decimals. Our own table: an address here is trusted, so each was checked. */
const table: readonly (readonly [number, string, string, string, number])[] = [
  [1, '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2', 'WETH', 'Wrapped Ether', 18],
  [1, '0xdAC17F958D2ee523a2206206994597C13D831ec7', 'USDT', 'Tether USD', 6],
  [1, '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48', 'USDC', 'USD Coin', 6],
  [1, '0x6B175474E89094C44Da98b954EedeAC495271d0F', 'DAI', 'Dai Stablecoin', 18],
  [1, '0x4Fabb145d64652a948d72533023f6E7A623C7C53', 'BUSD', 'Binance USD', 18],
  [1, '0x0000000000085d4780B73119b644AE5ecd22b376', 'TUSD', 'TrueUSD', 18],
  [1, '0x8E870D67F660D95d5be530380D0eC0bd388289E1', 'USDP', 'Pax Dollar', 18],
  [1, '0x056Fd409E1d7A124BD7017459dFEa2F387b6d5Cd', 'GUSD', 'Gemini Dollar', 2],
  [1, '0x6c3ea9036406852006290770BEdFcAbA0e23A0e8', 'PYUSD', 'PayPal USD', 6],
  [1, '0x853d955aCEf822Db058eb8505911ED77F175b99e', 'FRAX', 'Frax', 18],
  [1, '0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599', 'WBTC', 'Wrapped BTC', 8],
  [1, '0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84', 'stETH', 'Lido Staked Ether', 18],
  [1, '0x7f39C581F595B53c5cb19bD0b3f8dA6c935E2Ca0', 'wstETH', 'Wrapped Staked Ether', 18],
  [1, '0xae78736Cd615f374D3085123A210448E74Fc6393', 'rETH', 'Rocket Pool ETH', 18],
  [1, '0x514910771AF9Ca656af840dff83E8264EcF986CA', 'LINK', 'Chainlink Token', 18],
  [1, '0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984', 'UNI', 'Uniswap', 18],
  [1, '0x7Fc66500c84A76Ad7e9c93437bFc5Ac33E2DDaE9', 'AAVE', 'Aave', 18],
  [1, '0x9f8F72aA9304c8B593d555F12eF6589cC3A579A2', 'MKR', 'Maker', 18],
  [1, '0xD533a949740bb3306d119CC777fa900bA034cd52', 'CRV', 'Curve DAO Token', 18],
  [1, '0x5A98FcBEA516Cf06857215779Fd812CA3beF1B32', 'LDO', 'Lido DAO Token', 18],
  [1, '0xC011a73ee8576Fb46F5E1c5751cA3B9Fe0af2a6F', 'SNX', 'Synthetix Network Token', 18],
  [1, '0xc00e94Cb662C3520282E6f5717214004A7f26888', 'COMP', 'Compound', 18],
  [1, '0xc944E90C64B2c07662A292be6244BDf05Cda44a7', 'GRT', 'Graph Token', 18],
  [1, '0xC18360217D8F7Ab5e7c516566761Ea12Ce7F9D72', 'ENS', 'Ethereum Name Service', 18],
  [1, '0x95aD61b0a150d79219dCF64E1E6Cc01f0B64C4cE', 'SHIB', 'SHIBA INU', 18],
  [1, '0x4d224452801ACEd8B2F0aebE155379bb5D594381', 'APE', 'ApeCoin', 18],
  [1, '0x7D1AfA7B718fb893dB30A3aBc0Cfc608AaCfeBB0', 'MATIC', 'Matic Network Token', 18],
  [1, '0x455e53CBB86018Ac2B8092FdCd39d8444aFFC3F6', 'POL', 'Polygon Ecosystem Token', 18],
  [1, '0x45804880De22913dAFE09f4980848ECE6EcbAf78', 'PAXG', 'PAX Gold', 18],
  [56, '0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c', 'WBNB', 'Wrapped BNB', 18],
  [56, '0x55d398326f99059fF775485246999027B3197955', 'USDT', 'Binance-Peg Tether USD', 18],
  [56, '0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d', 'USDC', 'Binance-Peg USD Coin', 18],
  [56, '0xe9e7CEA3DedcA5984780Bafc599bD69ADd087D56', 'BUSD', 'Binance-Peg BUSD', 18],
  [56, '0x1AF3F329e8BE154074D8769D1FFa4eE058B1DBc3', 'DAI', 'Binance-Peg Dai', 18],
  [56, '0x7130d2A12B9BCbFAe4f2634d864A1Ee1Ce3Ead9c', 'BTCB', 'Binance-Peg BTCB', 18],
  [56, '0x2170Ed0880ac9A755fd29B2688956BD959F933F8', 'ETH', 'Binance-Peg Ethereum', 18],
  [137, '0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270', 'WPOL', 'Wrapped POL', 18],
  [137, '0xc2132D05D31c914a87C6611C10748AEb04B58e8F', 'USDT', 'Tether USD (PoS)', 6],
  [137, '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359', 'USDC', 'USD Coin', 6],
  [137, '0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174', 'USDC.e', 'USD Coin (PoS)', 6],
  [137, '0x8f3Cf7ad23Cd3CaDbD9735AFf958023239c6A063', 'DAI', 'Dai Stablecoin (PoS)', 18],
  [137, '0x7ceB23fD6bC0adD59E62ac25578270cFf1b9f619', 'WETH', 'Wrapped Ether (PoS)', 18],
  [42161, '0x82aF49447D8a07e3bd95BD0d56f35241523fBab1', 'WETH', 'Wrapped Ether', 18],
  [42161, '0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9', 'USDT', 'Tether USD', 6],
  [42161, '0xaf88d065e77c8cC2239327C5EDb3A432268e5831', 'USDC', 'USD Coin', 6],
  [42161, '0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8', 'USDC.e', 'Bridged USDC', 6],
  [42161, '0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1', 'DAI', 'Dai Stablecoin', 18],
  [42161, '0x912CE59144191C1204E64559FE8253a0e49E6548', 'ARB', 'Arbitrum', 18],
  [10, '0x4200000000000000000000000000000000000006', 'WETH', 'Wrapped Ether', 18],
  [10, '0x94b008aA00579c1307B0EF2c499aD98a8ce58e58', 'USDT', 'Tether USD', 6],
  [10, '0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85', 'USDC', 'USD Coin', 6],
  [10, '0x7F5c764cBc14f9669B88837ca1490cCa17c31607', 'USDC.e', 'Bridged USDC', 6],
  [10, '0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1', 'DAI', 'Dai Stablecoin', 18],
  [10, '0x4200000000000000000000000000000000000042', 'OP', 'Optimism', 18],
  [8453, '0x4200000000000000000000000000000000000006', 'WETH', 'Wrapped Ether', 18],
  [8453, '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', 'USDC', 'USD Coin', 6],
  [8453, '0xd9aAEc86B65D86f6A7B5B1b0c42FFA531710b6CA', 'USDbC', 'USD Base Coin', 6],
  [8453, '0x50c5725949A6F0c72E6C4a641F24049A917DB0Cb', 'DAI', 'Dai Stablecoin', 18],
  [43114, '0xB31f66AA3C1e785363F0875A1B74E27b85FD66c7', 'WAVAX', 'Wrapped AVAX', 18],
  [43114, '0x9702230A8Ea53601f5cD2dc00fDBc13d4dF4A8c7', 'USDT', 'Tether USD', 6],
  [43114, '0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E', 'USDC', 'USD Coin', 6],
  [43114, '0xA7D7079b0FEaD91F3e65f86E8915Cb59c1a4C664', 'USDC.e', 'Bridged USDC', 6],
  [43114, '0xc7198437980c041c805A1EDcbA50c1Ce5db95118', 'USDT.e', 'Bridged Tether USD', 6],
  [43114, '0x49D5c2BdFfac6CE2BFdB6640F4F80f226bc10bAB', 'WETH.e', 'Bridged Ether', 18],
]

/** Tokens that matter on the chains Jejak ships tables for: trusted to carry value. */
export const knownTokens: ReadonlyMap<AssetId, TokenInfo> = new Map(
  table.map(([chain, contract, symbol, name, decimals]) => [
    parseAsset(`eip155:${chain}/erc20:${contract}`),
    { symbol, name, decimals },
  ]),
)
