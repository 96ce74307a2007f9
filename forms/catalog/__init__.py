"""The items that ship with the program, one TOML file each."""
