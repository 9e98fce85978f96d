"""`matchboxctl group|profile|ignition|generic|cloud`: the operator's own commands, resource first as bootcmd's."""
