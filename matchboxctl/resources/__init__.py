"""`matchboxctl group|profile|ignition|generic|cloud`: the operator's own commands, noun first as bootcmd's."""
