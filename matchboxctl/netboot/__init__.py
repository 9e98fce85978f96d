"""What a machine fetches as it boots: the addresses in its script, and what the configurations behind them are."""
