# Whole-server tests, bench and demo: run by ./dev, only packed here. Units, fuzz targets and the probe are declared by
# the folders that they test.
EXTRA_DIST += .ci/run tests/check.sh tests/demo tests/ext tests/fuzz/run.sh tests/fuzz/dict tests/it tests/vm tests/bench/bench.py tests/bench/slow_clients.py

dist-hook:
	find $(distdir)/tests -name __pycache__ -prune -exec rm -rf {} +
