// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// A plain ERC-20 that mints to its maker.
contract Token {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        return move(msg.sender, to, value);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (value > 0) allowance[from][msg.sender] -= value;
        return move(from, to, value);
    }

    function burn(uint256 value) external {
        balanceOf[msg.sender] -= value;
        emit Transfer(msg.sender, address(0), value);
    }

    function move(address from, address to, uint256 value) internal returns (bool) {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
        return true;
    }
}

/// A wrapped coin: deposits and withdrawals emit no Transfer.
contract Wrapped {
    event Deposit(address indexed to, uint256 value);
    event Withdrawal(address indexed from, uint256 value);
    event Transfer(address indexed from, address indexed to, uint256 value);
    mapping(address => uint256) public balanceOf;

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposit(msg.sender, msg.value);
    }

    function withdraw(uint256 value) external {
        balanceOf[msg.sender] -= value;
        payable(msg.sender).transfer(value);
        emit Withdrawal(msg.sender, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}

/// Calls itself USDT and claims whatever it is told to.
contract Forged {
    event Transfer(address indexed from, address indexed to, uint256 value);
    string public symbol = "USDT";

    function claim(address from, address to, uint256 value) external {
        emit Transfer(from, to, value);
    }
}

/// ERC-721: the same event name with the token id indexed.
contract Collectible {
    event Transfer(address indexed from, address indexed to, uint256 indexed id);

    function mint(uint256 id) external {
        emit Transfer(address(0), msg.sender, id);
    }
}

/// Passes ether on in all the ways that do and do not move it.
contract Relay {
    receive() external payable {}

    function pass(address payable to) external payable {
        (bool done, ) = to.call{value: msg.value}("");
        require(done);
    }

    function split(address payable a, address payable b) external payable {
        (bool first, ) = a.call{value: msg.value / 3}("");
        (bool second, ) = b.call{value: msg.value - msg.value / 3}("");
        require(first && second);
    }

    /// The inner call sends on and then reverts: nothing of it may count.
    function tryAndKeep(address payable to) external payable {
        try this.passAndFail{value: msg.value}(to) {} catch {}
    }

    function passAndFail(address payable to) external payable {
        to.transfer(msg.value);
        revert("no");
    }

    function viaDelegate(address payable to) external payable {
        (bool done, ) = address(this).delegatecall(abi.encodeCall(this.nothing, (to)));
        require(done);
    }

    function nothing(address payable) external payable {}

    function fail() external payable {
        revert("no");
    }

    function endow(address payable heir) external payable {
        new Will{value: msg.value}(heir);
    }
}

/// Leaves everything to its heir at once.
contract Will {
    constructor(address payable heir) payable {
        selfdestruct(heir);
    }
}

/// Holds ether until it is destroyed.
contract Safebox {
    constructor() payable {}

    function destroy(address payable heir) external {
        selfdestruct(heir);
    }
}
