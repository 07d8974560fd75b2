"""The population: exact cuts and places among all customers' readings. Pure, integers only."""
