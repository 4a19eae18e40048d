# SPDX-License-Identifier: Apache-2.0
"""Inside the machine: runs the checks of one module, one line of JSON each to the second serial port."""
import importlib
import json
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "it")]
sys.dont_write_bytecode = True


def main():
	with open("/dev/ttyS1", "w") as out:
		def say(name, ok=True, text="", seconds=0.0):
			out.write(json.dumps(dict(name=name, ok=ok, text=text[-6000:], seconds=round(seconds, 2))) + "\n")
			out.flush()
		only = os.environ.get("VM_ONLY", "").split()
		name = "(start)"
		start = time.monotonic()
		try:
			module = importlib.import_module(os.environ["VM_MODULE"])
			world = module.World()
			for name, check in [(n[6:], f) for n, f in vars(module).items() if n.startswith("check_")]:
				if only and name not in only:
					continue
				start = time.monotonic()
				try:
					said = check(world)
					say(name, True, str(said or ""), time.monotonic() - start)
				except Exception:
					say(name, False, traceback.format_exc() + world.evidence(), time.monotonic() - start)
			name = "(end)"
			world.stop()
		except Exception:
			say(name, False, traceback.format_exc())
		say(None)


main()
