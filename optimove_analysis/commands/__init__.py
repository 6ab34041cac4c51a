"""What the command line does: one module a command, each with a function ``run(options)``.

`cli` reads the words and imports only the command that is asked for.
"""
