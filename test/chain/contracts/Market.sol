// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

interface Erc20 {
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// Exchanges one token for ether and back at a fixed price, out of its own reserves.
contract Pool {
    Erc20 public immutable token;
    uint256 public immutable price;

    constructor(Erc20 traded, uint256 weiPerUnit) payable {
        token = traded;
        price = weiPerUnit;
    }

    function sell(uint256 units) external {
        token.transferFrom(msg.sender, address(this), units);
        (bool done, ) = msg.sender.call{value: units * price}("");
        require(done);
    }

    function buy() external payable {
        token.transfer(msg.sender, msg.value / price);
    }
}

/// Takes ether of many in, and pays it out to whoever its keeper names.
contract Mixer {
    address immutable keeper = msg.sender;

    function deposit() external payable {}

    function withdraw(address payable to, uint256 value) external {
        require(msg.sender == keeper);
        (bool done, ) = to.call{value: value}("");
        require(done);
    }
}

/// Pays somebody, who pays a trifle of something else back, so that it looks like an exchange.
contract Wash {
    function pay(Erc20 paid, address from, address to, uint256 value, Erc20 back, uint256 trifle) external {
        paid.transferFrom(from, to, value);
        back.transferFrom(to, from, trifle);
    }
}
