// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Freezes and destroys as the first Tether contract does: nothing indexed, and no Transfer for what is destroyed.
contract Blacklisting {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event AddedBlackList(address _user);
    event RemovedBlackList(address _user);
    event DestroyedBlackFunds(address _blackListedUser, uint256 _balance);
    mapping(address => uint256) public balanceOf;
    mapping(address => bool) public isBlackListed;

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external {
        require(!isBlackListed[msg.sender]);
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
    }

    function addBlackList(address user) external {
        isBlackListed[user] = true;
        emit AddedBlackList(user);
    }

    function removeBlackList(address user) external {
        isBlackListed[user] = false;
        emit RemovedBlackList(user);
    }

    function destroyBlackFunds(address user) external {
        require(isBlackListed[user]);
        uint256 funds = balanceOf[user];
        balanceOf[user] = 0;
        emit DestroyedBlackFunds(user, funds);
    }
}

/// Freezes as Circle's contract does.
contract Blacklistable {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Blacklisted(address indexed _account);
    event UnBlacklisted(address indexed _account);

    function mint(address to, uint256 value) external {
        emit Transfer(address(0), to, value);
    }

    function blacklist(address account) external {
        emit Blacklisted(account);
    }

    function unBlacklist(address account) external {
        emit UnBlacklisted(account);
    }
}

/// Answers `name()`, `symbol()` and `decimals()` with any bytes; none means that it reverts.
contract Oddity {
    event Transfer(address indexed from, address indexed to, uint256 value);
    mapping(bytes4 => bytes) answers;

    constructor(bytes memory name, bytes memory symbol, bytes memory decimals) {
        answers[0x06fdde03] = name;
        answers[0x95d89b41] = symbol;
        answers[0x313ce567] = decimals;
    }

    function pay(address to, uint256 value) external {
        emit Transfer(msg.sender, to, value);
    }

    fallback(bytes calldata) external returns (bytes memory) {
        bytes memory answer = answers[msg.sig];
        require(answer.length > 0);
        return answer;
    }
}
