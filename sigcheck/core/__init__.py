"""The model and the rules of sigcheck: values and pure functions, standard library only.

Knows signatures, bindings, class hierarchies and diagnostics. Must not import a reader, a report or a front end, must not
touch a file, a clock or the environment.
"""
