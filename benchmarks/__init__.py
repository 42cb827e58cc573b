"""Benchmarks: each figure is a ratio of two ways of doing the same, timed in turns in one run.

`make bench`, or `python -m benchmarks --help`, times the SPADE generator and the transform; `docs/benchmarks.md`
says what is compared with what. The scripts beside it measure the anatomy check and the repair on their own.
"""
