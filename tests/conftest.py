pytest_plugins = ["tests.rigs.fixtures"]
