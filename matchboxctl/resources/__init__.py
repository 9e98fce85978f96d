"""`matchboxctl group|profile|ignition|generic|cloud`: the commands on resources."""
