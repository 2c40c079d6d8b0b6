//! Turns one TOML file and the environment into settings, or into errors that name the key.
